"""Events of torch's profiler, from stand-ins for what it records."""

from types import SimpleNamespace
from typing import Any

from benchmarks.profiling.attribution import Place, by_place, placed, segments
from benchmarks.profiling.events import PASS, PHASE, events_of


def recorded(name: str, start: int, end: int, *children: Any, operator: bool = True, sequence: int = -1) -> Any:
    """Return a node of the profiler's tree: an operator, or something else, such as an allocation."""
    fields = SimpleNamespace(sequence_number=sequence) if operator else SimpleNamespace(alloc_size=8)
    return SimpleNamespace(
        name=name,
        start_time_ns=start,
        end_time_ns=end,
        children=list(children),
        correlation_id=start,
        extra_fields=fields,
    )


def results(*roots: Any) -> Any:
    return SimpleNamespace(experimental_event_tree=lambda: list(roots))


def test_passes_are_the_roots_with_their_name() -> None:
    found = events_of(results(recorded("aten::zeros", 0, 5), recorded(PASS, 10, 20), recorded(PASS, 30, 40)))
    assert [(event.start, event.end) for event in found] == [(10, 20), (30, 40)]


def test_allocations_are_no_events_and_children_are_in_order_of_time() -> None:
    children = recorded("b", 15, 16), recorded("[memory]", 14, 14, operator=False), recorded("a", 12, 13, sequence=3)
    (event,) = events_of(results(recorded(PASS, 10, 20, *children)))
    assert [(child.name, child.sequence, child.identity) for child in event.children] == [("a", 3, 12), ("b", -1, 15)]


def test_the_backward_of_another_thread_is_in_the_phase_that_waits_for_it() -> None:
    waiting = recorded(f"{PHASE}backward", 20, 60, recorded("aten::ones_like", 21, 25))
    others = recorded("AddBackward0", 30, 40), recorded("MulBackward0", 45, 50)
    (event,) = events_of(results(recorded(PASS, 10, 70, waiting), *others, recorded("later", 80, 90)))
    assert {place: time for place, (time, _) in by_place(segments(placed(event))).items()} == {
        Place(): 10 + 10,
        Place("backward"): 40 - 4 - 10 - 5,
        Place("backward", "", ("aten::ones_like",)): 4,
        Place("backward", "", ("AddBackward0",)): 10,
        Place("backward", "", ("MulBackward0",)): 5,
    }
