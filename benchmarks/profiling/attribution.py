"""Which phase, module and operator each moment of a pass belongs to. Pure functions of ``Event``s.

The forward of a module is the span of its call. A node of the backward belongs to the module whose forward made it:
autograd numbers the operators of the forward, and a node has the number of its operator. The nodes that add gradients
up have no number; autograd runs such a node at once after the one whose result it adds, so it belongs to the same
module.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, replace

from benchmarks.profiling.events import COUNTED, MODULE, PHASE, Event

FORWARD, BACKWARD, OPTIMISER = "forward", "backward", "optimiser"
PHASES = (FORWARD, BACKWARD, OPTIMISER)
# The engine opens a span with this prefix around each node of the backward, and the node one with its bare name.
NODE = "autograd::engine::evaluate_function: "
# Spans that are no operators: those of torch's optimisers, and marks of ``measure.memory``.
TRANSPARENT = (COUNTED, "Optimizer.", "memory of kind ")
# The name of the time that no operator explains.
BETWEEN = "between operators: Python and dispatch"


@dataclass(frozen=True)
class Place:
    """Where a moment of a pass is.

    Args:
        phase: one of ``PHASES``; empty between the phases.
        module: name of a module inside the profiled one, as in ``named_modules``; empty for the profiled one itself.
        path: the operators that are running, the outermost first; empty between operators.
    """

    phase: str = ""
    module: str = ""
    path: tuple[str, ...] = ()

    def operator(self, dispatched: Container[str]) -> str:
        """Return the operator that this place's time is counted for, ``BETWEEN`` if there is none.

        It is the outermost one of the ``dispatched`` operators, those that torch's dispatcher hands to a device. What a
        dispatched operator does inside, such as a copy into another layout, is part of its own time. An operator that
        consists of dispatched ones, such as an einsum, has the time between them.
        """
        if not self.path:
            return BETWEEN
        return next((name for name in self.path if name in dispatched), self.path[-1])


@dataclass(frozen=True)
class Placed:
    """An event of a pass with its place; ``begins`` says whether the event is a call, and not a part of the call."""

    event: Event
    place: Place
    begins: bool
    children: tuple["Placed", ...] = ()

    def every(self) -> Iterator["Placed"]:
        """Yield this event and all events inside it, in order of time."""
        yield self
        for child in self.children:
            yield from child.every()


@dataclass(frozen=True)
class Segment:
    """A time, in nanoseconds, during which a pass is in one place; ``begins`` says whether a call begins with it."""

    place: Place
    start: int
    end: int
    begins: bool = False


def placed(event: Event) -> Placed:
    """Return the events of a pass with their places."""
    return _Placing(modules_by_number(event)).placed(event, Place(), begins=False)


def segments(root: Placed) -> Iterator[Segment]:
    """Divide a pass into segments, in order of time: each moment belongs to exactly one of them."""
    cursor, end, begins = root.event.start, root.event.end, root.begins
    for child in root.children:
        yield Segment(root.place, cursor, max(child.event.start, cursor), begins)
        begins = False
        yield from segments(child)
        cursor = max(child.event.end, cursor)
    yield Segment(root.place, cursor, max(end, cursor), begins)


def by_place(found: Iterable[Segment]) -> dict[Place, tuple[int, int]]:
    """Return the nanoseconds and the number of calls of each place, in the order in which a pass comes there."""
    total: dict[Place, tuple[int, int]] = {}
    for segment in found:
        time, calls = total.get(segment.place, (0, 0))
        total[segment.place] = time + segment.end - segment.start, calls + segment.begins
    return total


def modules_by_number(event: Event) -> dict[int, str]:
    """Return, by autograd's numbers, the modules whose forward ran the operators of a pass.

    An operator has the number that the next node will get. So several successive operators can have the same number,
    and the last one of them has made the node.
    """
    found: dict[int, str] = {}

    def note(event: Event, module: str) -> None:
        if event.name.startswith(MODULE):
            module = event.name.removeprefix(MODULE)
        if event.sequence >= 0:
            found[event.sequence] = module
        for child in event.children:
            note(child, module)

    for phase in event.children:
        if phase.name == PHASE + FORWARD:
            note(phase, "")
    return found


class _Placing:
    """Goes through a pass in order of time, and remembers the module of the last node of the backward."""

    def __init__(self, modules: dict[int, str]) -> None:
        self.modules = modules
        self.last = ""

    def placed(self, event: Event, place: Place, *, begins: bool) -> Placed:
        children = []
        for child in event.children:
            inner = self._place(child, place)
            children.append(self.placed(child, inner, begins=inner != place))
        return Placed(event, place, begins, tuple(children))

    def _place(self, event: Event, outer: Place) -> Place:
        name = event.name
        if name.startswith(PHASE):
            return Place(name.removeprefix(PHASE))
        if name.startswith(MODULE):
            return Place(outer.phase, name.removeprefix(MODULE))
        if name.startswith(TRANSPARENT):
            return outer
        if name.startswith(NODE):
            self.last = self.modules.get(event.sequence, self.last)
            return Place(outer.phase, self.last, (*outer.path, name.removeprefix(NODE)))
        if outer.path and outer.path[-1] == name:  # a node inside the engine's span of it
            return outer
        return replace(outer, path=(*outer.path, name))
