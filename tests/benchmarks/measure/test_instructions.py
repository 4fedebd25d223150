"""Counters of the processor, and what is said where there are none."""

import sys
import time

import pytest

from benchmarks.measure import instructions
from benchmarks.measure.instructions import INSTRUCTIONS, TASK_CLOCK, NotAvailable, count_events


def counted(event: tuple[int, int], passes: int) -> int:
    try:
        return count_events(lambda: sum(range(passes)), event)
    except NotAvailable as reason:
        pytest.skip(str(reason))


def test_the_time_of_a_thread_is_counted_by_the_kernel() -> None:
    started = time.perf_counter()
    nanoseconds = counted(TASK_CLOCK, 200_000)
    assert 0 < nanoseconds < 1e9 * (time.perf_counter() - started)


def test_ten_times_the_work_takes_more_instructions() -> None:
    few, many = counted(INSTRUCTIONS, 100_000), counted(INSTRUCTIONS, 1_000_000)
    assert 5 < many / few < 20


def test_an_event_that_the_system_does_not_know_is_refused_with_a_reason() -> None:
    with pytest.raises(NotAvailable, match="no such counter|lets no user|no counters|Invalid argument"):
        count_events(lambda: None, (99, 1))


def test_another_system_has_no_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NotAvailable, match="no counters on darwin"):
        instructions.count_events(lambda: None)
