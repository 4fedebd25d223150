"""The flame graph and the figure of the memory: layouts, and SVGs that need nothing else."""

import re
from xml.etree import ElementTree

import pytest

from benchmarks.profiling.attribution import Place
from benchmarks.profiling.flame import FILLS, flame_svg, layout, tree
from benchmarks.profiling.memory_figure import memory_svg, stacked
from benchmarks.profiling.profile import Holder, Memory
from benchmarks.profiling.svg import WIDTH
from tests.benchmarks.profiling.made_up import profile

PLACES = {
    Place(): 1.0,
    Place("forward", ""): 1.0,
    Place("forward", "blocks.0.conv", ("aten::convolution",)): 4.0,
    Place("forward", "blocks.0.conv", ("aten::convolution", "aten::copy_")): 1.0,
    Place("backward", "blocks.0.conv", ("aten::<&>",)): 3.0,
}
MINE = profile({place: (seconds,) * 3 for place, seconds in PLACES.items()})
NAME = "{http://www.w3.org/2000/svg}"
# The line of the legends.
LEGEND = "65"


def test_boxes_lie_inside_the_box_above_and_side_by_side() -> None:
    boxes = layout(tree(list(PLACES), list(PLACES.values())))
    for outer in boxes:
        inside = [box for box in boxes if any(box.node is child for child in outer.node.children.values())]
        assert all(box.depth == outer.depth + 1 for box in inside)
        edges = [outer.left, *(edge for box in inside for edge in (box.left, box.left + box.width))]
        assert edges == pytest.approx(sorted(edges))
        assert edges[-1] <= outer.left + outer.width + 1e-9


def test_a_box_is_as_wide_as_its_share_of_the_pass() -> None:
    widths = {(box.node.phase, box.node.name): box.width for box in layout(tree(list(PLACES), list(PLACES.values())))}
    assert widths["", "pass"] == 1
    assert widths["forward", "forward"] == pytest.approx(0.6)
    assert widths["forward", "aten::convolution"] == pytest.approx(0.5)
    assert widths["backward", "aten::<&>"] == pytest.approx(0.3)


def test_modules_that_only_hold_a_module_are_one_box() -> None:
    names = [box.node.name for box in layout(tree(list(PLACES), list(PLACES.values()))) if box.node.kind == "module"]
    assert names == ["blocks.0.conv", "blocks.0.conv"]


@pytest.mark.parametrize("svg", [flame_svg(MINE), memory_svg(MINE)], ids=["flame", "memory"])
def test_a_figure_is_an_svg_that_needs_no_script_and_no_network(svg: str) -> None:
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{NAME}svg"
    assert not root.findall(f".//{NAME}script")
    assert not re.search(r"(href|src|url\(|@import)", svg)


def test_the_flame_graph_titles_its_boxes_and_tells_forward_from_backward() -> None:
    root = ElementTree.fromstring(flame_svg(MINE))
    titles = {group.find(f"{NAME}title").text: group.find(f"{NAME}rect") for group in root.findall(f"{NAME}g")}
    (forward,) = (
        box for title, box in titles.items() if title.startswith("operator aten::convolution: 5000.000 ms, 50")
    )
    (backward,) = (box for title, box in titles.items() if title.startswith("operator aten::<&>: 3000.000 ms, 30"))
    assert forward.get("fill") != backward.get("fill")
    assert all(
        0 <= float(box.get("x")) <= float(box.get("x")) + float(box.get("width")) <= WIDTH for box in titles.values()
    )


@pytest.mark.parametrize(
    ("svg", "names"),
    [
        (flame_svg(MINE), ["forward", "backward"]),
        (flame_svg(profile({Place("forward"): (1.0, 1.0, 1.0)})), ["forward"]),
        (flame_svg(profile({Place(): (1.0, 1.0, 1.0)})), []),
        (memory_svg(MINE), ["saved for backward"]),
        (
            memory_svg(profile({Place(): (1.0, 1.0, 1.0)}, memory=Memory(9, 9, {}, (), ((0.0, (5, 0, 0, 4)),)))),
            ["gradients of parameters", "temporary or output"],
        ),
    ],
    ids=["training", "inference", "no phases", "one kind of memory", "two kinds of memory"],
)
def test_a_legend_lists_what_is_drawn_and_nothing_else(svg: str, names: list[str]) -> None:
    root = ElementTree.fromstring(svg)
    listed = [text.text for text in root.findall(f"{NAME}text") if text.get("y") == LEGEND]
    drawn = {shape.get("fill") for path in ("g/rect", "polygon") for shape in root.findall(path, {"": NAME[1:-1]})}
    unnamed = {*FILLS[""]}  # of what belongs to no phase
    assert listed == names
    assert {key.get("fill") for key in root.findall(f"{NAME}rect") if key.get("y") == "54"} >= drawn - unnamed


def test_the_memory_figure_names_what_holds_the_peak() -> None:
    svg = memory_svg(MINE)
    assert "saved for backward, conv, forward" in svg
    assert "parameters 0.00 MiB" in svg


def test_holders_of_almost_nothing_are_counted_not_named() -> None:
    holders = tuple(Holder("workspace", "forward", name, "", size) for name, size in [("big", 990), ("a", 4), ("b", 4)])
    svg = memory_svg(profile({Place(): (1.0, 1.0, 1.0)}, memory=Memory(998, 998, {}, holders, ())))
    assert "temporary or output, big, forward" in svg
    assert "temporary or output, a, forward" not in svg
    assert "0.00 MiB in 2 more" in svg


def test_kinds_are_stacked_up_to_the_total() -> None:
    assert stacked([(0.0, (1, 2, 3, -4))]) == [[0, 1, 3, 6, 6]]


def test_a_pass_without_memory_has_a_figure() -> None:
    memory = Memory(0, 0, {}, (), ())
    ElementTree.fromstring(memory_svg(profile({Place(): (1.0, 1.0, 1.0)}, memory=memory)))
