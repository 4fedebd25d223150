"""Where trained networks lose equivariance: errors of logits under quarter turns, and of maps off the pixel grid."""

import statistics
from collections.abc import Sequence

from benchmarks.answers.text_tables import columns
from benchmarks.records.record import Record
from benchmarks.studies.results import StudyResults

NOTE = (
    "Median [least, most] over seeds of the relative error, after training. Logits: of validation images, the worst of "
    "the quarter turns, after the last epoch. Maps: of the middle of test images, the worst of the rotations of H that "
    "interpolate pixels; the error of a map includes those of the maps before it."
)


def lost_equivariance_lines(results: StudyResults, matched: str) -> list[str]:
    """Return the table of the errors of each contender's logits, and of its outermost maps on the group."""
    rows: list[tuple[str, ...]] = [("", "output", "relative error", "n")]
    for contender in results.decisions.study.contenders:
        records = results.records[matched, contender]
        logits = [error for record in records if (error := _of_logits(record)) is not None]
        maps = [record.get("equivariance_error_by_layer") or {} for record in records]
        found = {"logits": logits} if logits else {}
        found |= {
            name: [each[name] for each in maps if name in each] for name in outermost(list(maps[0] if maps else ()))
        }
        for place, (name, errors) in enumerate(found.items()):
            rows.append(("" if place else contender.label, name, _spread(errors), str(len(errors))))
    return [*columns(rows), NOTE]


def outermost(layers: Sequence[str]) -> list[str]:
    """Return the layers that belong to no other one of them.

    >>> outermost(["lifting", "blocks.0.conv1", "blocks.0", "last"])
    ['lifting', 'blocks.0', 'last']
    """
    return [name for name in layers if not any(name.startswith(f"{other}.") for other in layers)]


def _of_logits(record: Record) -> float | None:
    error: float | None = record["epochs"][-1].get("equivariance_error")
    return error


def _spread(errors: Sequence[float]) -> str:
    middle, low, high = statistics.median(errors), min(errors), max(errors)
    return f"{middle:.2g} [{low:.2g}, {high:.2g}]"
