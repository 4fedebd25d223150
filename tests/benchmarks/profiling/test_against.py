"""What the difference between two profiles consists of."""

import pytest

from benchmarks.profiling.against import NOT_TOLD_APART, difference, sentences
from benchmarks.profiling.attribution import Place
from benchmarks.profiling.table import difference_lines
from tests.benchmarks.profiling.made_up import profile

MIX, COPY = Place("forward", "conv", ("gcnn::mix",)), Place("forward", "conv", ("aten::copy_",))
PYTHON = Place("forward", "")
BEFORE = profile({MIX: (2.0, 2.01, 1.99), COPY: (1.0, 1.1, 0.9), PYTHON: (0.5, 0.5, 0.5)}, plain=(3.4, 3.5, 3.6))


def test_a_part_that_takes_longer_is_named_with_its_interval() -> None:
    after = profile({MIX: (4.0, 3.99, 4.01), COPY: (0.95, 1.2, 1.0), PYTHON: (0.5, 0.5, 0.5)}, plain=(5.4, 5.5, 5.6))
    found = difference(BEFORE, after, in_turns=True)
    assert [part.name for part in found.operators if part.told] == ["gcnn::mix"]
    (mix,) = (part for part in found.operators if part.told)
    assert mix.change.value == pytest.approx(2)
    assert mix.change.low < 2 < mix.change.high
    assert "2000.000 ms is gcnn::mix [" in " ".join(sentences(found))
    assert "2050.000 ms is conv forward [" in " ".join(sentences(found))


def test_a_changed_number_of_calls_is_said() -> None:
    after = profile({MIX: (4.0, 4.01, 3.99), COPY: (1.0, 1.1, 0.9), PYTHON: (0.5, 0.5, 0.5)}, calls=(2.0, 1.0, 0.0))
    assert "is gcnn::mix (calls: 2 instead of 1) [" in " ".join(sentences(difference(BEFORE, after, in_turns=True)))


def test_the_parts_add_up_to_the_difference_of_the_profiled_passes() -> None:
    after = profile({MIX: (4.0, 4.1, 3.9), COPY: (0.9, 1.2, 1.0), PYTHON: (0.4, 0.5, 0.5)})
    found = difference(BEFORE, after, in_turns=True)
    for parts in (found.operators, found.modules):
        assert sum(part.change.value for part in parts) == pytest.approx(found.profiled.change.value)


def test_equal_passes_are_not_told_apart() -> None:
    lines = list(sentences(difference(BEFORE, BEFORE, in_turns=True)))
    assert NOT_TOLD_APART in lines[1]
    assert lines[2] == "by operator: no part is told apart"


def test_an_operator_that_one_side_lacks_takes_no_time_there() -> None:
    after = profile({COPY: (1.0, 1.1, 0.9), PYTHON: (0.5, 0.5, 0.5)})
    (mix,) = (part for part in difference(BEFORE, after, in_turns=True).operators if part.name == "gcnn::mix")
    assert (mix.b, mix.calls) == (0, (1, 0))
    assert mix.change.value == pytest.approx(-2)


def test_what_slows_both_sides_of_a_round_cancels_in_turns() -> None:
    before = profile({MIX: (2.0, 4.0, 3.0)}, plain=(2.0, 4.0, 3.0))
    after = profile({MIX: (2.4, 4.41, 3.39)}, plain=(2.4, 4.41, 3.39))
    (mix,) = difference(before, after, in_turns=True).operators
    assert mix.told
    assert mix.change.low < 0.4 < mix.change.high < 0.5
    (mix,) = difference(before, after, in_turns=False).operators
    assert not mix.told


def test_small_changes_of_profiles_of_different_times_do_not_count() -> None:
    after = profile({MIX: (2.15, 2.16, 2.17), COPY: (1.5, 1.6, 1.4), PYTHON: (0.5, 0.5, 0.5)}, plain=(3.7, 3.71, 3.72))
    found = difference(BEFORE, after, in_turns=False)
    assert not any(part.told for part in (found.plain, *found.operators))
    lines = list(sentences(found))
    assert lines[1] == "the passes are not told apart: the interval includes changes below 10.0%"
    assert lines[-1].startswith("a and b were measured at different times, so a change below 10.0% of a part does not ")
    assert "gcnn::mix" in [part.name for part in difference(BEFORE, after, in_turns=True).operators if part.told]
    slower = profile({MIX: (2.5, 2.51, 2.49), COPY: (1.0, 1.1, 0.9), PYTHON: (0.5, 0.5, 0.5)})
    assert [part.name for part in difference(BEFORE, slower, in_turns=False).operators if part.told] == ["gcnn::mix"]


def test_other_numbers_of_calls_are_named_whatever_the_times() -> None:
    after = profile({MIX: (2.0, 2.01, 1.99), COPY: (1.0, 1.1, 0.9), PYTHON: (0.5, 0.5, 0.5)}, calls=(2.0, 1.2, 0.0))
    for in_turns in (True, False):
        lines = list(sentences(difference(BEFORE, after, in_turns=in_turns)))
        assert "by operator: no part is told apart" in lines
        (calls,) = (line for line in lines if line.startswith("whatever the times"))
        assert calls.endswith("another number of times: gcnn::mix (calls: 2 instead of 1)")
    assert not any("whatever" in line for line in sentences(difference(BEFORE, BEFORE, in_turns=True)))


def test_two_rounds_tell_nothing_apart() -> None:
    few = [profile({MIX: seconds}, plain=seconds) for seconds in ((1.0, 1.0), (9.0, 9.0))]
    found = difference(*few, in_turns=True)
    assert not any(part.told for part in (found.plain, *found.operators))
    assert list(sentences(found)) == [
        "the pass takes 1000.000 ms (a) and 9000.000 ms (b): b less a 8000.000 ms",
        "2 rounds: too few to tell anything apart; --rounds 3 or more",
    ]
    assert not any(NOT_TOLD_APART in line or "[" in line for line in difference_lines(found, top=5))
    later = list(sentences(difference(few[0], BEFORE, in_turns=False)))
    assert later[1] == "2 rounds: too few to tell anything apart; --rounds 3 or more"
    one = difference(*[profile({MIX: (1.0,)}, plain=(1.0,))] * 2, in_turns=True)
    assert list(sentences(one))[1].startswith("1 round: ")


def test_profiles_of_different_machines_are_refused() -> None:
    other = profile({MIX: (1.0, 1.0, 1.0)}, provenance={"cpu": "another", "cores": 2, "gpu": None})
    with pytest.raises(ValueError, match="different machines cannot be compared: cpu is a processor and another"):
        difference(BEFORE, other, in_turns=True)


def test_profiles_of_one_case_are_told_apart_by_their_commits_and_times() -> None:
    machine = {"cpu": "a processor", "cores": 2, "gpu": None}
    origins = [
        {"commit": "0123456789abcdef", "dirty": False, "measured_at": "2026-11-28T13:07:16+00:00"},
        {"commit": "fedcba9876543210", "dirty": True, "measured_at": "2026-11-28T13:08:18+00:00"},
        {},
    ]
    a, b, c = (profile({MIX: (1.0, 1.0, 1.0)}, provenance=machine | origin) for origin in origins)
    found = difference(a, b, in_turns=False)
    assert (found.a, found.b) == (
        f"{a.label}, commit 0123456789, 2026-11-28T13:07:16+00:00",
        f"{b.label}, commit fedcba9876 with changes, 2026-11-28T13:08:18+00:00",
    )
    assert difference(a, c, in_turns=False).b == f"{c.label}, unknown commit, unknown time"
    other = profile({MIX: (1.0, 1.0, 1.0)}, provenance=machine, label="another case")
    assert (difference(a, other, in_turns=False).a, difference(a, other, in_turns=False).b) == (a.label, "another case")
