"""Tests of pairs of processes that take turns, on real processes with tiny layers and on made-up passes."""

import itertools
import math
import os

import pytest

from benchmarks.cases.case import Case
from benchmarks.comparing import pairs
from benchmarks.comparing.pairs import FEWEST_TURNS, SIDES, log_ratio, measure_pair, undisturbed
from benchmarks.comparing.passes import Pass
from benchmarks.running.workplace import workplace

TINY = {"channels": 2, "batch_size": 1, "image_size": 8, "kernel_size": 3, "threads": 1}
GOOD = Case(**TINY, resolution=2)
DIES, FAILS, CHANGES = (
    Case(**TINY, resolution=2, variant="custom", implementation=f"tests.benchmarks.misbehaving_layers:{name}")
    for name in ("Crashes", "RaisesAtOnce", "SetsThreadsOnSmallImages")
)


def turns(*values: float, waited: float = 0.0, others_waited: float = 0.0) -> list[list[Pass]]:
    return [[Pass(value, waited, others_waited)] for value in values]


def test_the_ratio_is_that_of_neighbouring_turns() -> None:
    drift = [1.0 + 0.1 * n for n in range(40)]
    assert log_ratio(turns(*drift), turns(*(1.1 * x for x in drift))) == pytest.approx(math.log(1.1))


def test_each_phase_counts_as_much_whatever_it_favours() -> None:
    favours = (1.05, 1 / 1.05, 1.0, 1.0)  # of B, in the four phases
    b = list(itertools.islice(itertools.cycle(favours), 40))
    assert log_ratio(turns(*[1.0] * 40), turns(*b)) == pytest.approx(0.0)


def test_what_the_main_thread_waited_for_a_core_is_subtracted() -> None:
    assert log_ratio(turns(*[1.0] * 40), turns(*[3.1] * 40, waited=2.0)) == pytest.approx(math.log(1.1))


def test_passes_whose_other_threads_waited_do_not_count_while_there_are_others() -> None:
    calm, disturbed = turns(*[1.0] * 40), turns(*[3.0] * 40, others_waited=2.0)
    mixed = [x if n % 8 < 4 else y for n, (x, y) in enumerate(zip(calm, disturbed, strict=True))]
    assert log_ratio(calm, mixed) == 0.0
    assert log_ratio(calm, disturbed) == pytest.approx(math.log(3.0))
    assert undisturbed([Pass(1.0, 0.0, 0.005), Pass(1.0, 0.0, 0.5), Pass(2.0, 0.5, 0.0)]) == [1.0, 1.5]


def test_few_turns_give_no_ratio() -> None:
    with pytest.raises(ValueError, match="^3 turns are too few; allowed: 4 or more of each side$"):
        log_ratio(turns(1, 1, 1), turns(1, 1, 1))


def test_a_pair_measures_each_case_at_both_sides_and_names_who_failed() -> None:
    with workplace(".") as place:
        taken = measure_pair(dict.fromkeys(SIDES, place), {0: GOOD, 1: FAILS}, 0, 60.0, {0, 1})
    assert set(taken[1].failures) == set(SIDES)
    assert taken[1].failures["A"].status == "failed"
    assert taken[0].failures == {}
    assert len(taken[0].turns["A"]) == len(taken[0].turns["B"]) >= FEWEST_TURNS
    assert all(one.seconds > 0 for side in SIDES for turn in taken[0].turns[side] for one in turn)
    assert abs(log_ratio(taken[0].turns["A"], taken[0].turns["B"])) < 1


def test_a_process_that_dies_fails_its_case_and_ends_the_pair() -> None:
    with workplace(".") as place:
        taken = measure_pair(dict.fromkeys(SIDES, place), {0: DIES, 1: GOOD}, 0, 60.0, ())
    assert taken[0].failures["A"].status == "killed"
    assert not taken[1].failures
    assert not taken[1].enough


def test_a_case_that_changes_its_process_ends_the_pair_with_the_reason() -> None:
    with workplace(".") as place:
        taken = measure_pair(dict.fromkeys(SIDES, place), {0: CHANGES, 1: GOOD}, 0, 60.0, ())
    assert taken[0].failures["A"] == ("interfered", "changed torch.get_num_threads() from 1 to 2", {})
    assert not taken[1].failures
    assert not taken[1].enough


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system binds no process to a core")
def test_both_processes_have_the_same_core(monkeypatch) -> None:
    cores = []

    def look(servers, *_: object) -> None:
        cores.extend(os.sched_getaffinity(server.process.pid) for server in servers.values())

    monkeypatch.setattr(pairs, "_take_turns", look)
    with workplace(".") as place:
        pairs.measure_pair(dict.fromkeys(SIDES, place), {0: GOOD}, 0, 60.0, ())
    assert cores[0] == cores[1]
    assert len(cores[0]) == 1
