"""Tests of the plan of a sweep: its shares by axis, what to cut, and plans for a machine that is not this one."""

import math
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.cases.blocks import Block, blocks
from benchmarks.cases.case import Case
from benchmarks.cases.profiles import profile_cases
from benchmarks.measure.sampling import Sampling
from benchmarks.records.outcome import Outcome
from benchmarks.records.record import Record
from benchmarks.sweep import estimate
from benchmarks.sweep.estimate import Known, Survey, block_seconds, minutes, survey
from benchmarks.sweep.plan import make_plan, plan_lines, times_of

CASE, FULL = Case(), Case(variant="full")
SAMPLING = Sampling(rounds=5, min_samples=10, max_samples=100, seconds=2.0)
CUDA = replace(CASE, device="cuda")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Survey in this process."""

    def run_here(task: Any, argument: Any, **_: Any) -> Outcome:
        return Outcome("ok", "", task(argument, lambda fields: None))

    monkeypatch.setattr(estimate, "run_isolated", run_here)


def record(case: Case, seconds: float, cpu: str = "A") -> Record:
    where = {"cpu": cpu, "cores": 2, "gpu": "H100" if case.device == "cuda" else None}
    times = {"median": seconds, "ci_low": seconds, "ci_high": seconds, "rounds": [[seconds] * 3] * 3}
    base: dict[str, Any] = {"kind": "cost", "id": case.id, "case": case.fields(), "status": "ok", "provenance": where}
    return {**base, "seconds": times, "message": ""}


def test_skipped_cases_are_counted_by_reason() -> None:
    block = Block((CASE, FULL), twin=FULL, seed=0)
    found = Survey(seconds={CASE.id: 1.0}, reasons={FULL.id: "too large"})
    plan = make_plan(3, 1, [block], found, SAMPLING)
    first, reason, *_ = plan_lines(plan)
    assert first.startswith(
        f"3 cases, 1 of them already there; 2 to do in 1 block of 5 rounds, about {minutes(plan.seconds)}; 1 will be"
    )
    assert reason == "  1 × too large"
    assert (plan.untimed, plan.skipped) == (0, {"too large": 1})


def test_many_reasons_are_cut_short() -> None:
    cases = profile_cases("quick")
    found = Survey(seconds={}, reasons={case.id: f"reason {i}" for i, case in enumerate(cases)})
    lines = plan_lines(make_plan(len(cases), 0, blocks(cases, set(cases), seed=0), found, SAMPLING))
    assert f"  and {len(cases) - 10} other reasons" in lines


def test_the_shares_of_an_axis_add_up_to_the_plan_and_the_costly_values_are_to_cut() -> None:
    cases = profile_cases("quick")
    todo = blocks(cases, set(cases), seed=0)
    found = Survey({case.id: 1.0 if case.resolution == 16 else 0.001 for case in cases}, {})
    plan = make_plan(len(cases), 0, todo, found, SAMPLING)
    assert plan.seconds == pytest.approx(sum(block_seconds(block, found.seconds, SAMPLING) for block in todo))
    axes = {share.axis for share in plan.shares}
    assert {"variant", "resolution", "direction", "layer"} <= axes
    assert "kernel_size" not in axes  # the cases have one
    for axis in axes:
        assert sum(share.share for share in plan.shares if share.axis == axis) == pytest.approx(1)
        assert sum(share.cases for share in plan.shares if share.axis == axis) == len(cases)
    assert (plan.cuts[0].axis, plan.cuts[0].value) == ("resolution", 16)
    last = plan_lines(plan)[-1]
    assert last.startswith(f"to cut: of {minutes(plan.seconds)}, ")
    assert f"{minutes(plan.cuts[0].seconds)} are saved without resolution 16 (6 cases)" in last


def test_a_users_layer_is_not_to_cut() -> None:
    own = replace(CASE, implementation="mine:Layer", variant="custom")
    block = Block((CASE, own), twin=CASE, seed=0)
    plan = make_plan(2, 0, [block], Survey({CASE.id: 0.001, own.id: 5.0}, {}), SAMPLING)
    assert {share.value for share in plan.shares if share.share > 0.5} == {"mine:Layer", "custom"}
    assert plan.cuts == []


def test_a_plan_for_a_gpu_on_a_machine_without_one_has_counts_and_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "gpu_name", lambda: None)
    found = survey([CUDA])
    assert found.seconds == found.reasons == {}
    assert found.needs[CUDA.id] > 2**20
    block = Block((CUDA,), twin=CUDA, seed=0)
    said = plan_lines(make_plan(1, 0, [block], found, SAMPLING))
    assert "the times of 1 are not known without a GPU (--times-of gives records of one); 0 will be" in said[0]
    assert "about" not in said[0]
    assert said[1].startswith("most memory: about ")


def test_records_of_a_gpu_give_the_times_of_its_cases_and_of_cases_of_their_kind() -> None:
    larger = replace(CUDA, batch_size=2 * CUDA.batch_size)
    other = replace(CUDA, variant="full")
    found = survey([CUDA, larger, other], times_of([record(CUDA, 0.001), record(CASE, 7.0)], ["cuda"]))
    assert found.seconds == {CUDA.id: 0.001, larger.id: pytest.approx(0.002)}
    assert found.reasons == {}


def test_records_of_no_machine_or_of_several_are_refused() -> None:
    with pytest.raises(ValueError, match="records without times on cuda; allowed: those of one machine"):
        times_of([record(CASE, 1.0)], ["cuda"])
    with pytest.raises(ValueError, match="records of 2 machines, A, 2 cores; B, 2 cores; allowed"):
        times_of([record(CASE, 1.0), record(FULL, 1.0, "B")], ["cpu"])
    assert math.isclose(times_of([record(CASE, 1.0)], ["cpu"]).seconds[CASE], 1.0)
    assert Known().devices == set()
