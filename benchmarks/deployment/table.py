"""A deployment as lines of text for a terminal."""

from collections.abc import Iterator
from statistics import median

from benchmarks.answers.text_tables import columns
from benchmarks.deployment.forms import FILES, Deployment, Form
from benchmarks.profiling.table import busy_lines
from benchmarks.statistics.intervals import Interval
from benchmarks.statistics.written import NOTHING

HEADER = ("form", "file", "KiB", "written in", "first answer", "again", "ms per image [95 %]", "× eager [95 %]", "n")
TEXTS = {
    "eager": "the network in eval mode",
    "frozen": "with frozen kernels and norms (gcnn_impl.freeze)",
    "compiled": "by torch.compile",
    "exported": "by torch.export",
    "onnx": "in ONNX Runtime",
}


def deployment_lines(found: Deployment) -> Iterator[str]:
    """Yield a row for each form, the reasons of those that were not measured, and the imports."""
    yield found.case.label
    yield from busy_lines(found.provenance)
    yield from columns([HEADER, *(_cells(found, form) for form in found.forms)])
    for form in found.forms:
        if form.reason:
            yield f"{form.name} ({TEXTS[form.name]}) was not measured: {form.reason}"
    yield (
        "first answer: from the file to the first output, in a process that has imported torch; again: the same in "
        "later processes, which find compiled code"
    )
    yield f"imports: {', '.join(_import_texts(found))}"


def _cells(found: Deployment, form: Form) -> tuple[str, ...]:
    per_image, against = found.per_image(form), found.against_eager(form)
    milliseconds = None if per_image is None else Interval(*(1e3 * value for value in per_image))
    return (
        form.name,
        FILES[form.name] if form.bytes is not None else NOTHING,
        NOTHING if form.bytes is None else f"{form.bytes / 1024:.0f}",
        _seconds(form.writing_seconds),
        _seconds(form.first_answers[0] if form.first_answers else None),
        _seconds(form.later_answer),
        _interval(milliseconds, 3),
        _interval(against, 2),
        str(sum(map(len, form.rounds))),
    )


def _seconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f} s" if value < 1 else f"{value:.1f} s"


def _interval(found: Interval | None, digits: int) -> str:
    if found is None:
        return NOTHING
    return f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def _import_texts(found: Deployment) -> Iterator[str]:
    for name, seconds in found.imports.items():
        more = "" if name == "torch" else " more"
        yield f"{name} {median(seconds):.3f} s{more} [{min(seconds):.3f} to {max(seconds):.3f}, n = {len(seconds)}]"
