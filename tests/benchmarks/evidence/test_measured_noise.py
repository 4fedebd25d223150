"""The noise of a measured history: deviations within commits, drawn result by result, in which changes are found."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.evidence.histories import count, planted_changes
from benchmarks.evidence.measured_noise import noise_of
from benchmarks.records.suite_names import is_control
from benchmarks.records.suite_results import Commit, read_asv_rounds
from benchmarks.statistics.regression import Result

COMMITTED = Path(__file__).parents[3] / "reports/history"
NAMES = [f"suites.bench_layers.Forward.time_pass('cpu', '{variant}')" for variant in ("full", "plain")]


def commit(hash_: str, *times: float) -> Commit:
    return Commit(hash_, "here", 0, {name: Result(t, t, t, "1") for name, t in zip(NAMES, times, strict=False)})


def test_the_deviations_are_those_within_a_commit() -> None:
    results = [commit("a", 1.0, 1.0), commit("a", 2.0, 4.0), commit("b", 64.0, 64.0), commit("b", 64.0, 64.0)]
    noise = noise_of([*results, commit("c", 9.0, 9.0)])  # c was measured once
    assert noise.names == tuple(NAMES)
    # Two rounds: the mean is half a difference away, and the factor is the root of 2.
    assert noise.deviations[:2, 0] == pytest.approx([-math.log(2) / math.sqrt(2), math.log(2) / math.sqrt(2)])
    assert np.allclose(noise.deviations[:, 1], 2 * noise.deviations[:, 0])
    drawn = noise.logs(np.random.default_rng(0), 5, 3)
    assert drawn.shape == (5, 3, 2)
    assert np.allclose(drawn[..., 1], 2 * drawn[..., 0])  # one result stays together


def test_a_benchmark_that_a_result_lacks_is_left_out() -> None:
    assert noise_of([commit("a", 1.0, 1.0), commit("a", 2.0)]).names == (NAMES[0],)


@pytest.mark.parametrize("results", [[], [commit("a", 1.0), commit("b", 1.0)]])
def test_results_without_repetitions_are_refused(results: list[Commit]) -> None:
    with pytest.raises(ValueError, match=r"^no time was measured in several rounds"):
        noise_of(results)


def test_steps_are_found_in_the_noise_of_the_committed_history() -> None:
    noise = noise_of(read_asv_rounds(COMMITTED))
    assert sum(map(is_control, noise.names)) >= 3
    nothing, _, ten, *_ = planted_changes(23, noise.names)
    sizes = {"commits": 23, "rounds": 3, "histories": 8}
    found = count(ten, noise, **sizes)
    assert found.found == 8
    assert abs(np.median(found.places) - ten.first) <= 1
    assert count(nothing, noise, **sizes).with_others <= 1
