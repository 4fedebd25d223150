"""A flame graph of a profile: modules above operators, forward and backward apart. Layout and SVG are pure functions.

The width of a box is its share of the pass, and boxes inside it lie below it. The part of a box without boxes below it
is own time: Python and dispatch in a module, the operator's own work in an operator.
"""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from html import escape

import numpy as np

from benchmarks.profiling.attribution import Place
from benchmarks.profiling.profile import Profile
from benchmarks.profiling.rows import pass_of
from benchmarks.profiling.svg import WIDTH, svg

ROW, MARGIN, TOP = 22, 12, 78
CHARACTER = 6.6  # width of a character of the labels, pixels
# Narrower boxes are left out.
NARROWEST = 0.6
# Fills of modules and of operators, by phase.
FILLS = {
    "": ("#e6e6e6", "#cfcfcf"),
    "forward": ("#cfe3f5", "#8fbce6"),
    "backward": ("#fbdcc4", "#f2a971"),
    "optimiser": ("#d5ecd4", "#97cf95"),
}


@dataclass
class Node:
    """A box of the flame graph with its own seconds; ``kind`` is "pass", "phase", "module" or "operator"."""

    name: str
    kind: str
    phase: str
    own: float = 0.0
    children: dict[tuple[str, str], "Node"] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Own seconds and those of the boxes inside."""
        return self.own + sum(child.seconds for child in self.children.values())

    def child(self, name: str, kind: str) -> "Node":
        """Return the box inside with a name, a new one if there is none."""
        phase = name if kind == "phase" else self.phase
        return self.children.setdefault((kind, name), Node(name, kind, phase))


@dataclass(frozen=True)
class Box:
    """A rectangle: ``left`` and ``width`` as shares of the pass, ``depth`` in rows from the top."""

    node: Node
    left: float
    width: float
    depth: int


def tree(places: Sequence[Place], seconds: Sequence[float]) -> Node:
    """Return the nested boxes of a pass; a module is inside the module that its name begins with."""
    root = Node("pass", "pass", "")
    for place, time in zip(places, seconds, strict=True):
        node = root.child(place.phase, "phase") if place.phase else root
        for part in place.module.split(".") if place.module else ():
            node = node.child(part, "module")
        for operator in place.path:
            node = node.child(operator, "operator")
        node.own += time
    return joined(root)


def joined(node: Node) -> Node:
    """Join each module that only holds another module with that module: "blocks" and "0" become "blocks.0"."""
    children = {}
    for key, child in node.children.items():
        child = joined(child)
        (only, *more) = child.children.values() if child.children else (None,)
        if child.kind == "module" and only is not None and not more and only.kind == "module" and not child.own:
            child = Node(f"{child.name}.{only.name}", "module", only.phase, only.own, only.children)
        children[(key[0], child.name)] = child
    return Node(node.name, node.kind, node.phase, node.own, children)


def layout(root: Node) -> list[Box]:
    """Return the boxes of a tree, the outer before the inner; those inside a box begin at its left edge."""
    whole = root.seconds or 1.0

    def boxes(node: Node, left: float, depth: int) -> Iterator[Box]:
        yield Box(node, left, node.seconds / whole, depth)
        for child in node.children.values():
            yield from boxes(child, left, depth + 1)
            left += child.seconds / whole

    return list(boxes(root, 0.0, 0))


def flame_svg(profile: Profile) -> str:
    """Return the flame graph of a profile as an SVG that needs no script and no network."""
    mean = np.mean([each.seconds for each in profile.rounds], axis=0)
    boxes = layout(tree(profile.places, [float(each) for each in mean]))
    inner = WIDTH - 2 * MARGIN
    drawn = [box for box in boxes if box.width * inner >= NARROWEST]
    height = TOP + (max(box.depth for box in drawn) + 1) * ROW + MARGIN
    subtitle = (
        f"one pass with the profiler, {1e3 * pass_of(profile).profiled.value:.3f} ms: width is time, modules (light) "
        "hold modules and operators (dark); hold the pointer on a box for its numbers"
    )
    elements = [*_legend({box.node.phase for box in drawn})]
    for box in drawn:
        elements += _box(box, MARGIN + box.left * inner, box.width * inner)
    return svg(profile.label, subtitle, height, elements)


def fitted(name: str, characters: int) -> str:
    """Return a name in at most so many characters: without its namespace, and cut, where it is longer.

    >>> fitted("aten::convolution", 30), fitted("aten::convolution", 12), fitted("aten::convolution", 5)
    ('aten::convolution', 'convolution', 'conv…')
    """
    if len(name) > characters:
        name = name.rpartition("::")[2]
    if len(name) > characters:
        name = f"{name[: characters - 1]}…" if characters >= 3 else ""
    return name


def _legend(drawn: Set[str]) -> Iterator[str]:
    x = float(MARGIN)
    for phase in (name for name in FILLS if name and name in drawn):
        for fill in FILLS[phase]:
            yield f'<rect x="{x:.1f}" y="54" width="14" height="14" fill="{fill}"/>'
            x += 16
        yield f'<text x="{x + 4:.1f}" y="65">{phase}</text>'
        x += 8 + CHARACTER * len(phase) + 20


def _box(box: Box, x: float, width: float) -> Iterator[str]:
    node, y = box.node, TOP + box.depth * ROW
    fill = FILLS.get(node.phase, FILLS[""])[node.kind == "operator"]
    title = f"{node.kind} {node.name}: {1e3 * node.seconds:.3f} ms, {box.width:.1%} of the pass"
    if node.children:
        title += f"; own time {1e3 * node.own:.3f} ms"
    yield f'<g><title>{escape(title)}</title><rect x="{x:.2f}" y="{y}" width="{max(width - 0.5, 0.3):.2f}" '
    yield f'height="{ROW - 2}" fill="{fill}"/>'
    if text := fitted(node.name, int((width - 6) / CHARACTER)):
        yield f'<text x="{x + 4:.2f}" y="{y + 14}">{escape(text)}</text>'
    yield "</g>"
