"""How often ``compare`` is right: whole runs of it on the same code, and on code with a slowdown of known size.

The slowdown is planted in one layer, the separable one. The other cases of a run stay as they are.
"""

import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.answers.differences import ComparedCase, Differences
from benchmarks.answers.text_tables import columns
from benchmarks.cases.case import Case
from benchmarks.comparing.deciding import Question, compare_places, default_minutes
from benchmarks.records.provenance import ROOT
from benchmarks.running.served import PACKAGE
from benchmarks.running.workplace import WORK_TREE, workplace
from benchmarks.statistics.verdicts import FINE, NOT_COMPARED, REGRESSED, UNDECIDED

VERDICTS = (REGRESSED, FINE, UNDECIDED, NOT_COMPARED)
CHANGED = "separable"


@dataclass(frozen=True)
class Planted:
    """A slowdown: a function of ``planted_slowdown`` with its share, and the size that ``compare`` is asked about."""

    function: str = ""  # nothing is planted if empty
    share: float = 0.0
    at_least: float = 0.05


PLANTED = {
    "same": Planted(),
    "30 % twice": Planted("repeat_batch", 0.30),
    "5 %": Planted("prolong", 0.05),
    "2 %": Planted("prolong", 0.02, at_least=0.02),
}


@dataclass(frozen=True)
class Run:
    """A whole run of ``compare``: what was planted, what came out, and how long it took."""

    planted: str
    found: Differences
    minutes: float

    @property
    def ratio(self) -> float:
        """The ratio of the changed case; nan if it has none."""
        rows = [row for row in self.found.rows if _is_changed(row) and not row.control]
        return next((row.comparison.ratio for row in rows if row.comparison), float("nan"))

    @property
    def floor(self) -> float:
        """The half-width of the widest interval, as a fraction."""
        compared = [row.comparison for row in self.found.rows if row.comparison and not row.control]
        return max((one.high / one.ratio - 1 for one in compared), default=float("inf"))

    @property
    def wrong(self) -> int:
        """Number of unchanged cases that are called regressed."""
        planted = bool(PLANTED[self.planted].function)
        rows = [row for row in self.found.rows if row.verdict == REGRESSED and not row.control]
        return sum(not (planted and _is_changed(row)) for row in rows)


def _is_changed(row: ComparedCase) -> bool:
    return f" {CHANGED} " in row.label


def four_cases(threads: int) -> list[Case]:
    """Return four layers of one shape, of which one will be changed; ten images, of which 30 % are three."""
    variants = ("lifting", "full", CHANGED, "gseparable")
    return [Case(variant=variant, resolution=4, batch_size=10, threads=threads) for variant in variants]


@contextlib.contextmanager
def planted_place(planted: Planted) -> Iterator[Path]:
    """Yield a ``workplace`` of the work tree whose separable layer has the slowdown."""
    with workplace(WORK_TREE) as place:
        if planted.function:
            package = place / PACKAGE
            package.unlink()  # it links to the work tree
            copy_package(ROOT / PACKAGE, package)
            with (package / "__init__.py").open("a") as file:
                file.write(f"\nfrom benchmarks.evidence.planted_slowdown import {planted.function}\n")
                file.write(f"{planted.function}(SeparableGroupConv2d, {planted.share})\n")
        yield place


def copy_package(source: Path, target: Path) -> None:
    """Link to all files of a package, except for its ``__init__``, which is copied."""
    target.mkdir()
    for path in source.iterdir():
        if path.name == "__init__.py":
            (target / path.name).write_bytes(path.read_bytes())
        elif path.name != "__pycache__":
            (target / path.name).symlink_to(path)


def whole_run(planted: str, threads: int) -> Run:
    """Run ``compare`` once: unchanged code against code with the slowdown."""
    cases, begun = four_cases(threads), time.monotonic()
    size = PLANTED[planted]
    question = Question(default_minutes(len(cases)), size.at_least)
    with planted_place(PLANTED["same"]) as a, planted_place(size) as b:
        found = compare_places({"A": a, "B": b}, cases, question)
    return Run(planted, found, (time.monotonic() - begun) / 60)


def whole_runs(counts: Mapping[str, int], threads: int) -> list[Run]:
    """Run ``compare`` as often as ``counts`` says for each key of ``PLANTED``, in turns; print each run's last line."""
    runs = []
    kinds = [kind for n in range(max(counts.values(), default=0)) for kind in PLANTED if n < counts.get(kind, 0)]
    for kind in kinds:
        run = whole_run(kind, threads)
        tqdm.write(f"{kind}: {run.found.verdict}, × {run.ratio:.3f}, floor {run.floor:.1%}, {run.minutes:.1f} minutes")
        runs.append(run)
    return runs


def table(runs: Sequence[Run]) -> list[str]:
    """Write a line for each slowdown: how often each verdict came out, and the ratios, floors and minutes."""
    heading = ("planted", "asked about", "runs", *VERDICTS, "unchanged cases regressed", "ratio", "floor", "minutes")
    rows: list[tuple[str, ...]] = [heading]
    for kind, planted in PLANTED.items():
        same = [run for run in runs if run.planted == kind]
        if same:
            said = Counter(run.found.verdict for run in same)
            counts = (str(said[verdict]) for verdict in VERDICTS)
            wrong = str(sum(run.wrong for run in same))
            spreads = (
                _spread([getattr(run, name) for run in same], form)
                for name, form in (("ratio", ".3f"), ("floor", ".1%"), ("minutes", ".1f"))
            )
            rows.append((kind, f"{planted.at_least:.0%}", str(len(same)), *counts, wrong, *spreads))
    return columns(rows)


def _spread(values: Sequence[float], form: str) -> str:
    return f"{np.median(values):{form}} [{min(values):{form}}, {max(values):{form}}]"
