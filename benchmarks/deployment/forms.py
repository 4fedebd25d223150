"""The forms of a network, the tasks of the processes that measure them, and the results."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.statistics.intervals import Interval, ratio
from benchmarks.statistics.summary import summarise_rounds

WEIGHTS, EXAMPLE = "weights.pt", "example.pt"
# The file from which a process makes each form. Three forms are made from the parameters and the code of the network.
FILES = {
    "eager": WEIGHTS,
    "frozen": WEIGHTS,
    "compiled": WEIGHTS,
    "exported": "network.pt2",
    "onnx": "network.onnx",
}
# The package without which a form cannot be written, and the one without which it cannot be run.
WRITTEN_WITH, RUN_WITH = {"onnx": "onnxscript"}, {"onnx": "onnxruntime"}
ONNX_PACKAGES = "onnx onnxscript onnxruntime"


@dataclass(frozen=True)
class WritingTask:
    """Write a file of ``FILES`` into a folder."""

    case: Case
    file: str
    folder: Path


@dataclass(frozen=True)
class FormTask:
    """Make a form from its file, and time its passes for ``seconds``."""

    case: Case
    form: str
    folder: Path
    seconds: float


@dataclass(frozen=True)
class Form:
    """A form with its costs, in seconds and bytes.

    Args:
        reason: why the form was not measured; empty if it was.
        bytes: size of the file.
        writing_seconds: time of exporting the network and writing the file, once.
        first_answers: for each process, the time from the file to the first output of the network.
        rounds: for each process, the times of passes over the whole batch.
        error: largest relative error of an output, compared with the eager network.
    """

    name: str
    reason: str = ""
    bytes: int | None = None
    writing_seconds: float | None = None
    first_answers: tuple[float, ...] = ()
    rounds: tuple[tuple[float, ...], ...] = ()
    error: float | None = None

    def plus(self, process: Mapping[str, Any]) -> "Form":
        """Return the form with the results of one more process."""
        return replace(
            self,
            first_answers=(*self.first_answers, process["first_answer"]),
            rounds=(*self.rounds, tuple(process["passes"])),
            error=max(self.error or 0.0, process["error"]),
        )

    @property
    def later_answer(self) -> float | None:
        """The median of the first answers of all processes but the first, which may find code compiled already."""
        return median(self.first_answers[1:]) if len(self.first_answers) > 1 else None

    @property
    def passes(self) -> Interval | None:
        """The median time of a pass with its 95 % interval; None without passes."""
        if not self.rounds:
            return None
        found = summarise_rounds(self.rounds)
        return Interval(found["median"], found["ci_low"], found["ci_high"])


@dataclass(frozen=True)
class Deployment:
    """One network in all forms; ``imports`` are the times of importing packages in new interpreters, by package."""

    case: Case
    forms: tuple[Form, ...]
    imports: Mapping[str, tuple[float, ...]]
    provenance: Mapping[str, Any]

    def per_image(self, form: Form) -> Interval | None:
        """Return the time of one image of a batch."""
        found = form.passes
        return None if found is None else Interval(*(value / self.case.batch_size for value in found))

    def against_eager(self, form: Form) -> Interval | None:
        """Return the time of a pass divided by that of the eager network; None for the eager network itself."""
        eager, found = next(each for each in self.forms if each.name == "eager").passes, form.passes
        return None if form.name == "eager" or eager is None or found is None else ratio(found, eager)

    def fields(self) -> dict[str, Any]:
        """Return the deployment as JSON types; times are in seconds."""
        return {
            "case": self.case.fields(),
            "imports": {name: median(seconds) for name, seconds in self.imports.items()},
            "forms": [self._fields(form) for form in self.forms],
            "provenance": dict(self.provenance),
        }

    def _fields(self, form: Form) -> dict[str, Any]:
        per_image, against = self.per_image(form), self.against_eager(form)
        return {
            "form": form.name,
            "reason": form.reason,
            "file": FILES[form.name],
            "bytes": form.bytes,
            "writing_seconds": form.writing_seconds,
            "first_answer_seconds": form.first_answers[0] if form.first_answers else None,
            "later_answer_seconds": form.later_answer,
            "seconds_per_image": None if per_image is None else per_image._asdict(),
            "against_eager": None if against is None else against._asdict(),
            "passes": sum(map(len, form.rounds)),
            "processes": len(form.rounds),
            "relative_error": form.error,
        }
