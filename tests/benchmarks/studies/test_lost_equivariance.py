"""The table of equivariance errors has each contender's logits, and its outermost maps in the order of computation."""

from dataclasses import replace
from typing import Any

from benchmarks.records.record import Record
from benchmarks.studies.contenders import Contender
from benchmarks.studies.lost_equivariance import lost_equivariance_lines
from tests.benchmarks.studies.made_up_study import results_of

SEPARABLE = Contender("separable", "SO2", 8)


def test_the_errors_of_maps_are_medians_over_seeds_of_the_outermost_layers() -> None:
    results = results_of(lambda contender: 0.9)
    records = dict(results.records)
    key = ("parameters", SEPARABLE)
    errors = [0.5, 0.1, 0.2, 0.4, 0.3]
    records[key] = [
        {
            **record,
            "epochs": _with_error(record, error),
            "equivariance_error_by_layer": {"lifting": error, "blocks.0.conv1": 9.0, "blocks.0": 2 * error},
        }
        for record, error in zip(records[key], errors, strict=True)
    ]
    lines = lost_equivariance_lines(replace(results, records=records), "parameters")
    start = next(i for i, line in enumerate(lines) if line.startswith(SEPARABLE.label))
    own = [line.removeprefix(SEPARABLE.label).split() for line in lines[start : start + 3]]
    assert own == [
        ["logits", "0.03", "[0.01,", "0.05]", "5"],
        ["lifting", "0.3", "[0.1,", "0.5]", "5"],
        ["blocks.0", "0.6", "[0.2,", "1]", "5"],
    ]


def _with_error(record: Record, error: float) -> list[dict[str, Any]]:
    """Return the epochs of a record, the last one with a tenth of an error in its logits."""
    return [*record["epochs"][:-1], {**record["epochs"][-1], "equivariance_error": error / 10}]
