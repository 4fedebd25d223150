"""``Event``: a span of a pass as torch's profiler recorded it, with the spans inside it; and the names of our spans."""

from dataclasses import dataclass, replace
from typing import Any

# Spans that ``ranges`` opens: a pass, its phases, the calls of modules, and what an operator's call moves and computes.
PASS, PHASE, MODULE, COUNTED = "profiled pass", "profiled phase ", "profiled module ", "profiled call "


@dataclass(frozen=True)
class Event:
    """An operator, a node of autograd or a span with a name.

    Args:
        name: as torch names it, such as "aten::convolution".
        start, end: nanoseconds, on one clock for all events.
        children: the events inside this one, in order of time.
        sequence: autograd's number of the operator, which the node of its backward has too; -1 for no number.
        identity: number by which a GPU's kernels name the operator that launched them; 0 for no number.
    """

    name: str
    start: int
    end: int
    children: tuple["Event", ...] = ()
    sequence: int = -1
    identity: int = 0


def events_of(kineto_results: Any) -> list[Event]:
    """Return the passes that torch's profiler has recorded, each with all that ran inside it."""
    roots = list(map(_event, filter(_is_operator, kineto_results.experimental_event_tree())))
    passes = [root for root in roots if root.name == PASS]
    others = [root for root in roots if root.name != PASS]  # on CUDA, the backward has a thread of its own
    return [_with_other_threads(one, [root for root in others if _inside(root, one)]) for one in passes]


def _with_other_threads(event: Event, roots: list[Event]) -> Event:
    """Put the roots of other threads into the innermost phase during which they ran, in which this thread waits."""
    if not roots:
        return event
    children = []
    for child in event.children:
        if child.name.startswith(PHASE):
            mine = [root for root in roots if _inside(root, child)]
            child = replace(child, children=tuple(sorted([*child.children, *mine], key=lambda each: each.start)))
        children.append(child)
    return replace(event, children=tuple(children))


def _inside(inner: Event, outer: Event) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _is_operator(event: Any) -> bool:
    return hasattr(event.extra_fields, "sequence_number")  # not an allocation, a launch or a kernel


def _event(event: Any) -> Event:
    children = sorted(filter(_is_operator, event.children), key=lambda child: child.start_time_ns)
    return Event(
        event.name,
        event.start_time_ns,
        event.end_time_ns,
        tuple(map(_event, children)),
        event.extra_fields.sequence_number,
        event.correlation_id,
    )
