"""The operators of a pass that a record keeps: their sums, and which of them are joined."""

from collections.abc import Iterator

import pytest
import torch

from benchmarks.cases.case import Case
from benchmarks.profiling.attribution import BETWEEN, Place
from benchmarks.profiling.by_operator import MOST_ROWS, OperatorRow, operator_rows, operators_of_pass, shortened
from benchmarks.profiling.profile import Count
from benchmarks.profiling.rows import GAPS
from benchmarks.records.cost_fields import OTHER_OPERATORS
from benchmarks.records.fields import record_problem
from benchmarks.workloads.build import build_workload

SMALL = {"batch_size": 2, "image_size": 12, "channels": 4, "resolution": 4, "threads": 1}
CONV, ADD = "aten::convolution", "aten::add"


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_times_and_counts_of_all_modules_are_added_up_by_phase() -> None:
    costs = {
        Place("forward", "a", (CONV,)): (1.0, 1.0),
        Place("forward", "b", (CONV, "aten::copy_")): (2.0, 1.0),  # a copy inside is part of the convolution
        Place("backward", "a", (CONV,)): (4.0, 3.0),
        Place("forward", "a"): (0.5, 1.0),
        Place(): (0.25, 0.0),
    }
    counts = [Count("forward", "a", CONV, 1, 10, 100), Count("forward", "b", CONV, 1, 20, 200)]
    rows = operator_rows(costs, [*counts, Count("backward", "a", CONV, 1, None, 5)], "cpu")
    assert rows == [
        OperatorRow(CONV, "backward", 4.0, 3.0, None, 5),
        OperatorRow(CONV, "forward", 3.0, 1.0, 30, 300),
        OperatorRow(BETWEEN, "forward", 0.5),
        OperatorRow("between phases", "", 0.25),
    ]


def test_on_a_gpu_the_time_between_kernels_is_that_of_gaps() -> None:
    assert operator_rows({Place(): (1.0, 0.0)}, [], "cuda") == [OperatorRow(GAPS, "", 1.0)]


def test_the_other_operators_of_each_phase_are_one_row_and_nothing_is_lost() -> None:
    rows = [OperatorRow(f"aten::{i}", "forward" if i % 2 else "backward", 9.0 - i, 1.0, i, 8) for i in range(6)]
    rows.append(OperatorRow(BETWEEN, "forward", 0.5))
    short = shortened(rows, most=2)
    assert [(row.operator, row.phase) for row in short] == [
        ("aten::0", "backward"),
        ("aten::1", "forward"),
        (OTHER_OPERATORS, "backward"),
        (OTHER_OPERATORS, "forward"),
        (BETWEEN, "forward"),
    ]
    for name in ("seconds", "calls", "bytes"):
        assert sum(getattr(row, name) for row in short) == sum(getattr(row, name) for row in rows)
    assert (short[2].macs, short[3].macs) == (2 + 4, 3 + 5)
    assert shortened(rows) == rows
    rows.append(OperatorRow("aten::short", "forward", 0.1, 1.0))  # less than 0.5 % of the pass
    assert [row.operator for row in shortened(rows)][6:] == [OTHER_OPERATORS, BETWEEN]


def test_without_a_rule_for_one_operator_the_others_have_no_macs() -> None:
    a, b = OperatorRow("a", "forward", 1.0, 1.0, 5, 1), OperatorRow("b", "forward", 1.0, 1.0, None, 1)
    assert shortened([a, b], most=0) == [OperatorRow(OTHER_OPERATORS, "forward", 2.0, 2.0, None, 2)]


@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
def test_the_rows_of_a_layer_add_up_to_its_pass(direction: str) -> None:
    workload = build_workload(Case(**SMALL, direction=direction))
    workload.run()
    found = operators_of_pass(workload, 0.01)
    assert record_problem({"kind": "cost", "operators": found}) is None
    rows = found["rows"]
    assert sum(row["seconds"] for row in rows) == pytest.approx(found["seconds"])
    assert found["passes"] >= 4
    assert min(found["seconds"], found["plain_seconds"]) > 0
    assert {row["phase"] for row in rows} - {""} == set(direction.split("_"))
    assert len([row for row in rows if row["calls"]]) <= MOST_ROWS + len(direction.split("_"))
    assert any(row["macs"] for row in rows)
    assert any(row["operator"] == BETWEEN for row in rows)
