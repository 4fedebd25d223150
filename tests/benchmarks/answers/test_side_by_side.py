"""Tests of tables of contenders and of answers to questions, from made-up records."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.answers.questions import QUESTIONS
from benchmarks.answers.side_by_side import lines_of
from benchmarks.answers.side_by_side import side_by_side as compared
from benchmarks.cases.case import Case
from benchmarks.cases.profiles import expand
from benchmarks.commands.peers import GRID
from benchmarks.records.costs import noise_floor
from benchmarks.records.record import Record

OURS = Case(variant="full")
TORCH = replace(OURS, implementation="torch")
ESCNN = replace(OURS, implementation="escnn")
SEPARABLE = replace(OURS, variant="separable")
NOISE = [1.0, 1.001, 0.999, 1.002, 0.998]


def side_by_side(cases: list[Case], records: list[Record]) -> list[str]:
    """Return the lines of the tables of all contenders."""
    return lines_of(compared(cases, records))


def answered(question: str, cases: list[Case], records: list[Record]) -> list[str]:
    """Return the table of a question's answers."""
    return QUESTIONS[question].answer(cases, records)


def cost(case: Case, seconds: float, *, macs: int = 2_000_000, block: str = "b", **fields: Any) -> Record:
    rounds = [[seconds * factor] * 3 for factor in NOISE]
    return {
        "kind": "cost",
        "id": case.id,
        "case": case.fields(),
        "status": "ok",
        "message": "",
        "block": block,
        "seconds": {"rounds": rounds, "median": seconds, "ci_low": 0.9 * seconds, "ci_high": 1.1 * seconds},
        "memory": {"peak_bytes": 3 * 2**20},
        "macs": {"kernel_generation": 0, "convolution": macs, "backward": 2 * macs},
        "stages": {"kernel_generation_share": 0.25},
        **fields,
    }


def twin(case: Case, seconds: float) -> Record:
    return {**cost(case, seconds), "kind": "twin", "id": "twin", "case_id": case.id}


def skipped(case: Case) -> Record:
    return {**cost(case, 1), "status": "skipped", "message": "escnn is not installed", "seconds": None}


def test_a_table_compares_each_contender_with_ours_and_ends_with_the_skips() -> None:
    records = [cost(OURS, 0.010), cost(TORCH, 0.020, macs=4_000_000), skipped(ESCNN), twin(OURS, 0.010)]
    title, header, ours, torch, escnn, *_ = side_by_side([TORCH, ESCNN, OURS], records)
    assert title.startswith("conv SO2(8) C=16 B=16 28×28 k=5 forward cached")
    assert header.split("  ")[0] == ""
    assert ours.split() == ["ours", "full", "10", "[9,", "11]", "3", "2.0"]
    assert torch.split() == ["torch", "full", "20", "[18,", "22]", "2.00", "[2.00,", "2.00]", "slower", "3", "4.0"]
    assert escnn == "escnn full: skipped: escnn is not installed"


def test_each_shape_has_its_own_table() -> None:
    training = [replace(case, direction="forward_backward", kernels="") for case in (OURS, TORCH)]
    records = [cost(OURS, 0.010), cost(TORCH, 0.010), *(cost(case, 0.030) for case in training), twin(OURS, 0.010)]
    lines = side_by_side([OURS, TORCH, *training], records)
    assert [line.split()[-2] for line in lines if line.startswith("conv")] == ["cached", "forward_backward"]
    assert [line.split()[-3] for line in lines if line.startswith("torch")] == ["same", "same"]
    assert [line.split()[-1] for line in lines if line.startswith("torch")] == ["2.0", "6.0"]


def test_a_users_layer_is_compared_with_our_full_one() -> None:
    own = replace(OURS, implementation="mine:Layer", variant="custom")
    lines = side_by_side([SEPARABLE, OURS, own], [cost(OURS, 0.01), cost(own, 0.005), twin(OURS, 0.01)])
    assert [line.split()[:5] for line in lines if line.startswith("mine")] == [
        ["mine:Layer", "5", "[4.5,", "5.5]", "0.50"]
    ]


UNCOUNTED = {"convolution": None, "kernel_generation": None, "backward": None, "not_counted": "aten::_fft_r2c × 1"}
OLD = {"convolution": 0, "kernel_generation": 0, "backward": 0, "unsupported": {"aten::_convolution_mode": 1}}


@pytest.mark.parametrize(("macs", "operator"), [(UNCOUNTED, "aten::_fft_r2c × 1"), (OLD, "aten::_convolution_mode")])
def test_macs_that_were_not_counted_are_no_zeros(macs: dict[str, Any], operator: str) -> None:
    own = replace(OURS, implementation="mine:Layer", variant="custom")
    lines = side_by_side([OURS, own], [cost(OURS, 0.01), cost(own, 0.005) | {"macs": macs}, twin(OURS, 0.01)])
    row, reason = [line for line in lines if line.startswith("mine")]
    assert row.endswith("not counted")
    assert reason == f"mine:Layer: MACs not counted: {operator}"
    full, separable = cost(OURS, 0.04), cost(SEPARABLE, 0.01) | {"macs": macs}
    assert answered("realised-speedup", [OURS, SEPARABLE], [full, separable])[1].split()[-3:] == ["not", "counted", "–"]


def test_the_macs_of_a_small_layer_are_no_zero() -> None:
    (row,) = [line for line in side_by_side([OURS], [cost(OURS, 0.01, macs=9216)]) if line.startswith("ours")]
    assert row.split()[-1] == "0.0092"


def test_without_twins_nothing_is_called_faster() -> None:
    lines = side_by_side([OURS, TORCH], [cost(OURS, 0.010), cost(TORCH, 0.001)])
    assert "faster" not in "".join(lines[:-1])
    assert lines[-1] == "no A/A twins among the records: nothing can be called faster or slower"


def test_the_noise_floor_comes_from_twins_of_one_block() -> None:
    records = [cost(OURS, 0.010), twin(OURS, 0.011)]
    assert noise_floor(records, comparisons=1) > 0.1
    assert noise_floor([cost(OURS, 0.010, block="another"), twin(OURS, 0.011)], comparisons=1) is None


def test_the_noise_floor_is_that_of_the_noisiest_number_of_threads() -> None:
    other = replace(OURS, threads=OURS.threads + 1)
    loud, quiet = [cost(OURS, 0.010), twin(OURS, 0.011)], [cost(other, 0.010), twin(other, 0.010)]
    assert noise_floor(loud + quiet, comparisons=1) == noise_floor(loud, comparisons=1)


def test_contenders_of_other_blocks_are_not_paired() -> None:
    records = [cost(OURS, 0.010), cost(TORCH, 0.020, block="another"), twin(OURS, 0.010)]
    (line,) = [line for line in side_by_side([OURS, TORCH], records) if line.startswith("torch")]
    paired, unpaired = "2.00 [2.00, 2.00]", "2.00 [1.99, 2.01]"
    assert unpaired in line
    assert paired not in line


def test_realised_speedup_is_the_logarithm_of_the_ratio_of_times_over_that_of_macs() -> None:
    head, row = answered("realised-speedup", [OURS, SEPARABLE], [cost(OURS, 0.04), cost(SEPARABLE, 0.01, macs=250_000)])
    assert "log(time ratio) / log(MAC ratio)" in head
    assert row.split()[-5:] == ["4.00", "[4.00,", "4.00]", "8.0", "67%"]
    _, row = answered("realised-speedup", [OURS, SEPARABLE], [cost(OURS, 0.04), cost(SEPARABLE, 0.04, macs=250_000)])
    assert row.split()[-1] == "0%"  # no time is saved


def test_the_tax_is_the_share_of_kernel_generation() -> None:
    _, row = answered("kernel-synthesis-tax", [OURS], [cost(OURS, 0.04)])
    assert row.split()[-2:] == ["40", "25%"]


@pytest.mark.parametrize("question", QUESTIONS)
def test_without_records_there_is_a_header_and_no_answer(question: str) -> None:
    cases = expand(QUESTIONS[question].grid)
    assert len(answered(question, cases, [])) == 1


def test_the_questions_of_the_issue_have_the_cases_they_need() -> None:
    tax = expand(QUESTIONS["kernel-synthesis-tax"].grid)
    assert {(case.variant, case.batch_size, case.direction) for case in tax} == {
        (variant, batch, direction)
        for variant in ("full", "separable")
        for batch in (1, 64)
        for direction in ("forward", "forward_backward")
    }
    assert all(case.kernels == "generated" for case in tax)
    assert {case.implementation for case in expand(GRID)} == {"gcnn_impl", "torch", "escnn", "authors"}
