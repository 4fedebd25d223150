"""Each moment of a pass belongs to one phase, module and operator."""

import itertools
import random

from benchmarks.profiling.attribution import BETWEEN, Place, by_place, modules_by_number, placed, segments
from benchmarks.profiling.events import PASS, PHASE, Event
from tests.benchmarks.profiling.made_up import training_pass


def times() -> dict[Place, int]:
    return {place: time for place, (time, _) in by_place(segments(placed(training_pass()))).items()}


def test_segments_cover_the_pass_without_overlap() -> None:
    found = list(segments(placed(training_pass())))
    assert found[0].start == 0
    assert found[-1].end == 100
    assert all(one.end == other.start for one, other in itertools.pairwise(found))


def test_an_operator_has_its_time_without_that_of_the_operators_inside() -> None:
    assert times()[Place("forward", "conv", ("aten::convolution",))] == 17
    assert times()[Place("forward", "conv", ("aten::convolution", "aten::copy_"))] == 3


def test_a_module_has_the_time_between_its_operators() -> None:
    assert times()[Place("forward", "conv")] == 27 - 20
    assert times()[Place("forward", "")] == 42 - 27 - 6 - 1


def test_a_node_belongs_to_the_module_whose_forward_made_it() -> None:
    node = Place("backward", "conv", ("ConvolutionBackward0",))
    assert times()[node] == 20 - 14
    assert times()[Place("backward", "conv", (*node.path, "aten::convolution_backward"))] == 14
    assert times()[Place("backward", "", ("AddBackward0",))] == 6


def test_the_last_operator_with_a_number_has_made_the_node() -> None:
    assert modules_by_number(training_pass()) == {7: "conv", 8: ""}


def test_gradients_are_added_up_for_the_module_whose_node_came_before() -> None:
    assert times()[Place("backward", "conv", ("torch::autograd::AccumulateGrad",))] == 2


def test_the_engines_span_and_its_node_are_one_call() -> None:
    calls = {place: calls for place, (_, calls) in by_place(segments(placed(training_pass()))).items()}
    assert calls[Place("backward", "conv", ("ConvolutionBackward0",))] == 1
    assert calls[Place("forward", "conv", ("aten::convolution",))] == 1
    assert calls[Place("forward", "conv")] == 1
    assert calls[Place()] == 0


def test_the_span_of_an_optimisers_step_is_no_operator() -> None:
    assert times()[Place("optimiser", "", ("aten::mul_",))] == 5
    assert times()[Place("optimiser")] == 5


def test_time_counts_for_the_outermost_operator_that_the_dispatcher_sees() -> None:
    dispatched = {"aten::convolution", "aten::bmm"}
    assert Place("forward", "", ("aten::convolution", "aten::copy_")).operator(dispatched) == "aten::convolution"
    assert Place("forward", "", ("aten::einsum", "aten::bmm", "aten::copy_")).operator(dispatched) == "aten::bmm"
    assert Place("forward", "", ("aten::einsum",)).operator(dispatched) == "aten::einsum"
    assert Place("forward", "").operator(dispatched) == BETWEEN


def test_the_times_of_any_tree_add_up_to_the_pass() -> None:
    draw = random.Random(0)

    def tree(start: int, end: int, depth: int) -> tuple[Event, ...]:
        cuts = sorted(draw.sample(range(start, end), min(6, (end - start) // 2 * 2) // 2 * 2)) if depth else []
        return tuple(
            Event(draw.choice("abc"), a, b, tree(a, b, depth - 1)) for a, b in zip(cuts[::2], cuts[1::2], strict=True)
        )

    for _ in range(50):
        event = Event(PASS, 0, 1000, (Event(f"{PHASE}forward", 10, 990, tree(10, 990, 4)),))
        assert sum(time for time, _ in by_place(segments(placed(event))).values()) == 1000
