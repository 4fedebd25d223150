"""The decision about made-up processes: which words, verdicts and remedies follow, and when measuring stops."""

import itertools
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.answers.differences import Differences, text_lines
from benchmarks.cases.case import Case
from benchmarks.comparing import deciding
from benchmarks.comparing.contenders import Contender
from benchmarks.comparing.deciding import MOST_CASES, Question, compare_commits, compare_places, groups, untouched
from benchmarks.comparing.pairs import Taken
from benchmarks.comparing.passes import Pass
from benchmarks.records.outcome import Outcome
from benchmarks.running.server import DoesNotStart
from benchmarks.running.signals import Interrupted
from benchmarks.running.workplace import resolve
from benchmarks.statistics.verdicts import FINE, NOT_COMPARED, REGRESSED, UNDECIDED

CASES = [Case(resolution=resolution) for resolution in (2, 4, 8)]
PLACES = {"A": Path("a"), "B": Path("b")}
SECONDS_A_PAIR = 6.0


class Machine:
    """Measures pairs on a made-up machine: each takes ``SECONDS_A_PAIR``, and processes differ by ``spread``.

    What a process computes is slower in all cases alike by a random part, ``shared``, and in each case by ``spread``.
    ``factors`` has the ratio B / A of cases, ``failures`` the side at which a case fails, and ``moved`` is the ratio of
    torch's own code.
    """

    def __init__(
        self,
        factors: Mapping[Case, float],
        spread: float,
        moved: float = 1.0,
        failures: Mapping[Case, str] | None = None,
        shared: float = 0.0,
    ) -> None:
        self.shared, self.slow = shared, 0.0
        self.factors, self.spread, self.moved, self.failures = factors, spread, moved, failures or {}
        self.rng, self.now = np.random.default_rng(0), 0.0
        self.measured: list[set[Case]] = []

    def measure_pair(
        self, places: object, entries: Mapping[int, Case], number: int, timeout: float, unchecked: Collection[int]
    ) -> dict[int, Taken]:
        self.now += SECONDS_A_PAIR
        self.slow = self.shared * self.rng.normal()
        self.measured.append(set(entries.values()))
        assert (number == 0) == bool(unchecked)
        return {entry: self.taken(case) for entry, case in entries.items()}

    def taken(self, case: Case) -> Taken:
        if case in self.failures:
            return Taken(failures={self.failures[case]: Outcome("failed", "no", {})})
        factor = self.factors.get(case, self.moved if untouched(case) else 1.0)
        b = 1e-3 * factor * float(np.exp(self.slow + self.spread * self.rng.normal()))
        return Taken({side: [[Pass(x, 0.0, 0.0)]] * 60 for side, x in (("A", 1e-3), ("B", b))}, undisturbed=60)


def compared(
    monkeypatch: pytest.MonkeyPatch, machine: Machine, *, minutes: float = 3.0, at_least: float = 0.05
) -> Differences:
    monkeypatch.setattr(deciding, "measure_pair", machine.measure_pair)
    monkeypatch.setattr(deciding.time, "monotonic", lambda: machine.now)
    return compare_places(PLACES, CASES, Question(minutes, at_least))


def verdicts(found: Differences) -> dict[str, str]:
    return {row.label: row.verdict for row in found.rows if not row.control}


def words(found: Differences) -> list[str]:
    return [row.comparison.word for row in found.rows if row.comparison and not row.control]


def test_a_quiet_machine_decides_at_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine({CASES[0]: 1.3}, spread=0.005)
    found = compared(monkeypatch, machine)
    assert found.verdict == REGRESSED
    assert verdicts(found) == {case.label: REGRESSED if case is CASES[0] else FINE for case in CASES}
    assert sorted(words(found)) == ["same", "same", "slower"]
    assert len(machine.measured) == 6
    lines = text_lines(found)
    assert lines[1].startswith("slower")
    assert lines[-1] == "regressed: 1 slower, 0 broken"


def test_unchanged_code_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compared(monkeypatch, Machine({}, spread=0.01))
    assert found.verdict == FINE
    assert text_lines(found)[-1] == "fine: no case is slower by 5.0% or more"


def test_only_open_cases_and_the_control_are_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine({CASES[0]: 1.028}, spread=0.016)
    compared(monkeypatch, machine)
    assert {case for case in machine.measured[0] if not untouched(case)} == {*CASES}
    assert {case for case in machine.measured[-1] if not untouched(case)} == {CASES[0]}
    assert any(untouched(case) for case in machine.measured[-1])


def test_one_pair_of_processes_has_no_interval_and_asks_for_more_time(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compared(monkeypatch, Machine({CASES[0]: 1.1}, spread=0.0), minutes=0.05)
    assert {row.verdict for row in found.rows} == {UNDECIDED}
    row = next(row for row in found.rows if row.label == CASES[0].label)
    assert row.comparison is not None
    assert row.comparison.high == math.inf
    assert "give more --minutes" in row.remedy
    assert any("1.100  (n too small for an interval)" in line for line in text_lines(found))


def test_a_noisy_machine_is_undecided_and_says_what_would_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine({CASES[0]: 1.1}, spread=0.15)
    found = compared(monkeypatch, machine)
    assert found.verdict == UNDECIDED
    assert len(machine.measured) == 30  # three minutes
    said = [line for line in text_lines(found) if line.startswith(f"undecided: {CASES[0].label}: after 30 pairs")]
    assert len(said) == 1
    assert "more pairs of processes would decide" in said[0]
    assert text_lines(found)[-1] == "undecided: 3 may be slower by 5.0% or more"


def minutes_to_try(found: Differences) -> int:
    [line] = [line for line in found.remarks if "try --minutes" in line]
    return int(line.rpartition(" ")[2])


def test_what_an_undecided_run_advises_decides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compared(monkeypatch, Machine({CASES[0]: 1.08}, spread=0.04), minutes=0.6)
    assert found.verdict == UNDECIDED
    assert any("one pair of processes takes 6 s: try --minutes" in line for line in found.remarks)
    minutes = minutes_to_try(found)
    assert compared(monkeypatch, Machine({CASES[0]: 1.08}, spread=0.04), minutes=minutes).verdict == REGRESSED


def test_minutes_that_do_not_suffice_for_the_first_look_are_said_to_be_too_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = compared(monkeypatch, Machine({}, spread=0.005), minutes=0.1)
    [line] = [line for line in found.remarks if line.startswith("--minutes")]
    assert line.startswith("--minutes 0.1 is too short for a verdict: it takes 6 pairs of processes")
    assert compared(monkeypatch, Machine({}, spread=0.005), minutes=minutes_to_try(found)).verdict == FINE


def test_a_decided_run_needs_no_more_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [line for line in compared(monkeypatch, Machine({}, spread=0.005)).remarks if "--minutes" in line]


def test_ctrl_c_tells_that_there_is_no_verdict_and_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine({CASES[0]: 1.028}, spread=0.016)

    def interrupted(*arguments: Any) -> dict[int, Taken]:
        if len(machine.measured) == pairs:
            raise KeyboardInterrupt
        return machine.measure_pair(*arguments)

    monkeypatch.setattr(deciding, "measure_pair", interrupted)
    for pairs, said in ((0, "no verdict on B, and nothing is kept"), (8, "; 2 of 3 cases had been decided: ")):
        with pytest.raises(Interrupted) as raised:
            compare_places(PLACES, CASES, Question(3.0))
        assert said in str(raised.value)
        assert ("decided" in str(raised.value)) == (pairs > 0)


def test_progress_counts_cases_without_controls(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    compared(monkeypatch, Machine({}, spread=0.005))
    assert "3 of 3 cases" in capsys.readouterr().err


def test_a_table_with_a_control_explains_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compared(monkeypatch, Machine({}, spread=0.005))
    assert text_lines(found)[-2].startswith("control: torch's own layer")
    assert not any(line.startswith("control:") for line in text_lines(replace(found, rows=found.rows[:0])))


def test_a_side_that_cannot_be_imported_is_named_with_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> dict[int, Taken]:
        raise DoesNotStart(side, "does not import: ModuleNotFoundError: No module named 'x'")

    monkeypatch.setattr(deciding, "measure_pair", broken)
    commit = resolve("HEAD", "", "")
    for side, name in (("A", commit[:10]), ("B", ".")):
        with pytest.raises(DoesNotStart, match=rf"^{side} \({re.escape(name)}\) does not import: ModuleNotFound"):
            compare_commits(commit, ".", CASES, Question(3.0))


def test_no_case_is_the_same_whose_interval_leaves_out_1(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compared(monkeypatch, Machine({CASES[0]: 1.02, CASES[1]: 0.98}, spread=0.003))
    assert found.verdict == FINE
    assert sorted(words(found)) == ["faster", "same", "slower"]


def test_where_a_control_moves_no_case_that_moved_as_much_is_regressed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compared(monkeypatch, Machine(dict.fromkeys(CASES, 1.1), spread=0.005, moved=1.1))
    assert set(verdicts(found).values()) == {UNDECIDED}
    assert any(line.startswith("unchanged code moved, × 1.") for line in text_lines(found))
    found = compared(monkeypatch, Machine({CASES[0]: 1.5}, spread=0.005, moved=1.02))
    assert verdicts(found)[CASES[0].label] == REGRESSED


def test_processes_that_are_slow_in_all_cases_alike_decide_as_fast_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine({CASES[0]: 1.1}, spread=0.005, shared=0.2)
    found = compared(monkeypatch, machine)
    assert verdicts(found) == {case.label: REGRESSED if case is CASES[0] else FINE for case in CASES}
    assert len(machine.measured) == 6


def test_pairs_without_the_control_count_without_it_alone() -> None:
    logs = dict(enumerate([0.1, 0.2, 0.15, 0.1, 0.25, 0.2, 9.0]))
    control = Contender(CASES[1], True, logs={pair: logs[pair] / 2 for pair in range(6)})
    alone, beside = deciding._estimates(Contender(CASES[0], False, logs=logs), [control])
    assert (alone.pairs, beside.pairs) == (7, 6)
    assert beside.spread == pytest.approx(0.0)
    control.logs = {9: 0.1}
    assert len(deciding._estimates(Contender(CASES[0], False, logs=logs), [control])) == 1


def test_a_case_that_fails_at_b_alone_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compared(monkeypatch, Machine({}, spread=0.01, failures={CASES[0]: "B", CASES[1]: "A"}))
    assert found.verdict == REGRESSED
    assert [verdicts(found)[case.label] for case in CASES] == [REGRESSED, NOT_COMPARED, FINE]
    assert text_lines(found)[-1] == "regressed: 0 slower, 1 broken"


def test_failures_everywhere_are_no_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compared(monkeypatch, Machine({}, spread=0.01, failures=dict.fromkeys(CASES, "A")))
    assert found.verdict == NOT_COMPARED


def test_a_budget_of_one_pair_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = compared(monkeypatch, Machine({CASES[0]: 2.0}, spread=0.01), minutes=0.01)
    assert found.verdict == UNDECIDED


def test_whole_runs_of_unchanged_code_are_hardly_ever_regressed(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []
    for seed in range(100):
        machine = Machine({}, spread=0.03)
        machine.rng = np.random.default_rng(seed)
        said.append(compared(monkeypatch, machine).verdict)
    assert said.count(REGRESSED) <= 1


def test_groups_share_device_and_threads_and_have_a_control_each() -> None:
    cases = [Case(resolution=r, channels=c, threads=t) for r, c, t in itertools.product((2, 4, 8), (8, 16), (1, 2))]
    found = groups(cases)
    assert sorted(one.case.id for group in found for one in group if not one.control) == sorted(c.id for c in cases)
    for group in found:
        assert len({one.case.threads for one in group}) == 1
        assert sum(one.control for one in group) == 1
        assert sum(not one.control for one in group) <= MOST_CASES


def test_torchs_own_convolutions_are_controls_unless_nothing_else_is_asked_for() -> None:
    plain = Case(variant="plain", group="trivial", resolution=1)
    assert [one.control for group in groups([CASES[0], plain]) for one in group] == [False, True]
    assert [one.control for group in groups([plain]) for one in group] == [False]
    assert untouched(plain)
    assert not untouched(Case(layer="resnet", variant="plain", group="trivial", resolution=1))
