"""Changes in made-up histories of a suite: kinds and benchmarks, the machine's part, thresholds and ignored commits."""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from benchmarks.answers.suite_changes import SuiteHistory, suite_histories
from benchmarks.records.known_changes import NOTHING_KNOWN, Ignored, Known, Threshold
from benchmarks.records.suite_results import Commit
from benchmarks.statistics.change_points import DRIFT
from benchmarks.statistics.regression import Result

NAME = "suites.bench_layers.Forward.time_pass('cpu', '{}', 8, {}, 1)"
SEPARABLE, FULL = ([NAME.format(variant, channels) for channels in (4, 8, 16, 32)] for variant in ("separable", "full"))
CONTROLS = [NAME.format("plain", channels) for channels in (8, 16, 128)]
COUNT = "suites.bench_layers.Cost.track_macs('cpu', 'full', 8, 16, 1)"
COMMITS = 16

# The logarithm that a commit adds to a benchmark.
Planted = Callable[[int, str], float]


def hash_of(n: int) -> str:
    return f"{n:x}" * 40


def commits(planted: Planted, *, spread: float = 0.01, rounds: int = 1, names: list[str] | None = None) -> list[Commit]:
    rng = np.random.default_rng(0)
    found = []
    for n in range(COMMITS):
        for _ in range(rounds):
            logs = {
                name: spread * float(rng.normal()) + planted(n, name)
                for name in names or [*SEPARABLE, *FULL, *CONTROLS]
            }
            values: Mapping[str, float] = {name: math.exp(log) for name, log in logs.items()}
            found.append(
                Commit(hash_of(n), "here", n, {name: Result(one, one, one, "1") for name, one in values.items()})
            )
    return found


def judged(planted: Planted, known: Known = NOTHING_KNOWN, **options: object) -> SuiteHistory:
    [history] = suite_histories(commits(planted, **options), [hash_of(n) for n in range(COMMITS)], known)  # type: ignore[arg-type]
    return history


def step(size: float, at: int, *names: str) -> Planted:
    return lambda n, name: size if n >= at and name in names else 0.0


def test_unchanged_code_is_fine() -> None:
    history = judged(step(0.0, 0))
    assert (history.found, history.machine) == ((), ())
    assert history.word() == "fine"
    assert history.word(at_least=0.001) == "undecided"
    series = history.main_series[0]
    assert history.runs_to_find(series, 0.001) > series.values > history.runs_to_find(series, 0.5)


def test_a_step_of_a_kind_is_one_finding_with_its_benchmarks() -> None:
    history = judged(step(0.1, 9, *SEPARABLE))
    [found] = history.found
    assert found.series.subject == "time of conv separable forward"
    assert (found.before, found.at, found.after) == (hash_of(8), hash_of(9), hash_of(9))
    assert len(found.alone) == len(SEPARABLE)
    assert found.change.ratio == pytest.approx(1.105, rel=0.03)
    assert history.word() == "regressed"
    assert judged(step(-0.1, 9, *SEPARABLE)).word() == "fine"


def test_a_step_of_one_benchmark_is_named() -> None:
    [found] = judged(step(0.2, 9, FULL[0]), names=[*FULL, *SEPARABLE, *CONTROLS]).found
    assert (found.series.of_a_kind, len(found.alone)) == (True, 1)
    assert found.alone[0] == pytest.approx(math.exp(0.2), rel=0.03)
    [alone] = judged(step(0.2, 9, FULL[0]), names=[FULL[0], *CONTROLS]).found
    assert alone.series.subject == FULL[0]


def test_a_drift_of_two_percent_over_ten_commits_is_found_in_a_kind() -> None:
    history = judged(
        lambda n, name: 0.02 * min(max(n - 3, 0), 10) / 10 if name in FULL else 0.0, spread=0.003, rounds=4
    )
    [found] = history.found
    assert found.series.benchmarks == tuple(FULL)
    assert found.change.shape == DRIFT
    assert found.change.size == pytest.approx(0.02, abs=0.008)


def test_what_the_controls_share_is_the_machine() -> None:
    everything = judged(step(0.3, 9, *SEPARABLE, *FULL, *CONTROLS))
    assert everything.found == ()
    assert [one.at for one in everything.machine] == [hash_of(9)]
    mixed = judged(lambda n, name: (0.3 if name in SEPARABLE else 0.2 if name in CONTROLS else 0.1) * (n >= 9))
    assert {one.doubtful for one in mixed.found} == {True}
    assert mixed.word() == "undecided"


def test_without_controls_every_change_of_a_time_is_doubtful() -> None:
    history = judged(step(0.3, 9, *FULL), names=FULL)
    assert [one.doubtful for one in history.found] == [True]
    assert history.word() == "undecided"


def test_counts_need_no_controls() -> None:
    history = judged(step(0.3, 9, COUNT), names=[COUNT], spread=0.0)
    assert [(one.doubtful, one.at) for one in history.found] == [(False, hash_of(9))]
    assert history.word() == "regressed"


def test_thresholds_and_ignored_commits_have_reasons() -> None:
    slower = step(0.1, 9, *SEPARABLE)
    threshold = Known(thresholds=(Threshold("separable", 0.2, "a reason"),))
    assert judged(slower, threshold).found == ()
    ignored = Known(ignored=(Ignored("9999999", "separable", "memory for speed"),))
    history = judged(slower, ignored)
    assert [one.ignored and one.ignored.reason for one in history.found] == ["memory for speed"]
    assert history.word() == "fine"
    elsewhere = Known(ignored=(Ignored("9999999", "full", "x"), Ignored("3333333", "separable", "x")))
    assert judged(slower, elsewhere).word() == "regressed"


def test_machines_and_versions_are_apart() -> None:
    here = commits(step(0.3, 9, *FULL))
    there = [Commit(one.hash, "there", one.date, one.results) for one in commits(step(0.0, 0))]
    assert [history.place for history in suite_histories([*here, *there])] == ["here", "there"]
    other = {name: Result(9.0, 9.0, 9.0, "0") for name in here[0].results}
    older = [Commit(hash_of(n), "here", n, other if n < 9 else one.results) for n, one in enumerate(here)]
    [history] = suite_histories(older)
    assert history.found == ()


def test_a_short_history_is_not_judged() -> None:
    [history] = suite_histories(commits(step(0.0, 0))[:4])
    assert history.series == ()
    assert history.word() == "could not compare"
