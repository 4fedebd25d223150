"""A round on a stand-in for CUDA: the order of calls, and the end of the round when the GPU is lost."""

from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.cases.case import Case
from benchmarks.measure.sampling import Sampling
from benchmarks.records.outcome import Outcome
from benchmarks.sweep import contender, rounds, worker
from benchmarks.sweep.rounds import Taken, take_round
from benchmarks.sweep.tasks import Round
from tests.benchmarks.conftest import Cuda

ONE_PASS = Sampling(rounds=1, min_samples=1, max_samples=1, seconds=1e-9)
ENTRIES = ((0, Case(device="cuda", threads=1)), (1, Case(device="cuda", threads=1, variant="full")))


class Contender:
    """A workload that notes what it is asked, and fails in its n-th pass if it is told to."""

    def __init__(self, cuda: Cuda, name: str, fails_at: int | None = None, loses_the_gpu: bool = False) -> None:
        self.cuda, self.name, self.fails_at, self.loses_the_gpu, self.passes = cuda, name, fails_at, loses_the_gpu, 0

    def prepare(self) -> None:
        self.cuda.note(f"prepare {self.name}")

    def run(self) -> None:
        self.passes += 1
        self.cuda.note(f"run {self.name}")
        if self.passes == self.fails_at:
            self.cuda.lost = self.loses_the_gpu
            raise RuntimeError("CUDA error: an illegal memory access was encountered")


@pytest.fixture
def contenders(cuda: Cuda, pynvml: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> dict[str, Contender]:
    """Build these contenders for the variants of ``ENTRIES``; tests may exchange them."""
    made = {variant: Contender(cuda, variant) for variant in ("separable", "full")}
    monkeypatch.setattr(contender, "build_or_skip", lambda case: made[case.variant])
    monkeypatch.setattr(worker, "configure", lambda case: None)
    return made


def one_pass(name: str) -> list[str]:
    return [f"prepare {name}", "write", "synchronize", f"run {name}", "synchronize"]


def test_every_pass_begins_with_an_empty_cache_and_the_state_is_read_after_passes(
    cuda: Cuda, contenders: dict[str, Contender]
) -> None:
    taken = Taken(0, {0: [], 1: []})
    state = worker.measure_round(Round(ENTRIES, 0, ONE_PASS), taken.report)
    taken.add_state(state)
    warm = 2 * one_pass("separable") + 2 * one_pass("full")
    turns = [*one_pass("separable"), "prepare separable", *one_pass("full"), "prepare full"]
    assert cuda.taken() == [*warm, "nvmlInit", *turns]
    assert [state["source"] for state in taken.gpu_states] == ["NVML", "NVML"]
    assert taken.frequencies == [1700.0, 1700.0]
    assert {entry: len(samples) for entry, samples in taken.samples.items()} == {0: 1, 1: 1}


def test_a_contender_that_fails_leaves_the_round_and_one_that_loses_the_gpu_ends_it(
    cuda: Cuda, contenders: dict[str, Contender]
) -> None:
    contenders["separable"] = Contender(cuda, "separable", fails_at=2)
    taken = Taken(0, {0: [], 1: []})
    worker.measure_round(Round(ENTRIES, 0, ONE_PASS), taken.report)
    assert taken.failures[0].status == "failed"
    assert len(taken.samples[1]) == 1

    contenders["separable"] = Contender(cuda, "separable", fails_at=2, loses_the_gpu=True)
    taken = Taken(0, {0: [], 1: []})
    with pytest.raises(RuntimeError, match="illegal memory access"):
        worker.measure_round(Round(ENTRIES, 0, ONE_PASS), taken.report)
    assert taken.failures == {}  # ``take_round`` blames the contender that ran last, and the round is repeated
    assert taken.running == 0


def test_the_contender_that_lost_the_gpu_fails_and_the_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    error = Outcome("failed", "RuntimeError: CUDA error: an illegal memory access was encountered", {})

    def run(function: object, task: Round, *, report: Any, **_: Any) -> Outcome:
        report({"entry": 0})
        report({"entry": 0, "samples": [1.0], "stopped": "samples"})
        report({"entry": 1})
        return error

    monkeypatch.setattr(rounds, "run_isolated", run)
    taken = take_round(Round(ENTRIES, 0, ONE_PASS), timeout=60.0)
    assert (taken.finished, taken.failures) == (False, {1: error})


def test_contenders_have_enough_at_about_the_same_time_though_one_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"separable": 0.002, "full": 0.04}
    monkeypatch.setattr(worker, "precise_enough", lambda samples: False)
    monkeypatch.setattr(contender, "build_or_skip", lambda case: None)
    monkeypatch.setattr(worker.Here, "warm_up", lambda self: None)
    monkeypatch.setattr(worker.Here, "turn", lambda self, most: [seconds[self.case.variant]])
    cases = tuple((entry, Case(threads=1, variant=variant)) for entry, variant in enumerate(seconds))
    sampling = Sampling(rounds=1, min_samples=5, seconds=0.2)
    taken: list[int] = []
    worker.measure_round(
        Round(cases, 0, sampling), lambda message: taken.append(message["entry"]) if "samples" in message else None
    )
    assert [taken.count(entry) for entry in (0, 1)] == [100, 5]
    for turns in range(1, len(taken)):
        fast, slow = (taken[:turns].count(entry) for entry in (0, 1))
        assert abs(fast / 100 - slow / 5) < 1 / 5 + 1 / 20  # a turn of the slow one, and a few of the fast one
