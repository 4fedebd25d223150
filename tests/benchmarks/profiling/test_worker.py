"""Profiles of small layers and networks, measured in this process."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks.cases.case import Case
from benchmarks.profiling.attribution import FORWARD, by_place, placed, segments
from benchmarks.profiling.counting import counts
from benchmarks.profiling.events import events_of
from benchmarks.profiling.memory import thinned
from benchmarks.profiling.ranges import KERNELS, recorder, run_in_spans, spans_of_modules
from benchmarks.profiling.tasks import Enter, Examine, Finish, Turn
from benchmarks.profiling.worker import TRACE_FILE, Answers, examine
from benchmarks.workloads.build import build_workload
from benchmarks.workloads.workload import Workload
from gcnn_impl import native

SMALL = {"batch_size": 2, "image_size": 12, "channels": 4, "threads": 1}
TRAINING = Case(**SMALL, resolution=4, direction="training_step")
NETWORK = Case(**{**SMALL, "image_size": 16}, layer="resnet", resolution=4, direction="training_step")
PLAIN = Case(**SMALL, variant="plain", group="trivial", resolution=1, direction="forward_backward")


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def warm(case: Case) -> Workload:
    workload = build_workload(case)
    workload.run()
    workload.prepare()
    return workload


def operators(workload: Workload) -> set[tuple[str, str, str]]:
    """Return the phase, the module and each operator of one pass."""
    with spans_of_modules(workload), recorder("cpu") as recorded:
        run_in_spans(workload)
    (event,) = events_of(recorded.kineto_results)
    return {(each.place.phase, each.place.module, name) for each in segments(placed(event)) for name in each.place.path}


def test_the_places_of_each_pass_add_up_to_the_pass() -> None:
    workload = warm(NETWORK)
    with spans_of_modules(workload), recorder("cpu") as recorded:
        for _ in range(2):
            workload.prepare()
            run_in_spans(workload)
    for event in events_of(recorded.kineto_results):
        times = by_place(segments(placed(event)))
        assert sum(time for time, _ in times.values()) == event.end - event.start
        assert sum(time for place, (time, _) in times.items() if place.phase) > 0.95 * (event.end - event.start)


def test_the_backward_belongs_to_the_modules_of_the_forward() -> None:
    found = operators(warm(NETWORK))
    modules = {phase: {module for each, module, _ in found if each == phase} for phase in ("forward", "backward")}
    convolutions = {name for name in modules["forward"] if name.endswith(("conv1", "conv2", "lifting"))}
    assert len(convolutions) >= 5
    assert convolutions <= modules["backward"]


@pytest.mark.skipif(native.library() is None, reason="the operators in C are not compiled")
def test_operators_in_c_have_their_names() -> None:
    found = operators(warm(TRAINING))
    assert ("forward", "", "gcnn_impl::depthwise_conv2d") in found
    assert ("backward", "", "gcnn_impl::depthwise_conv2d_weight") in found


@pytest.mark.skipif(native.library() is None, reason="the operators in C are not compiled")
def test_watching_the_modules_does_not_change_which_operators_run() -> None:
    workload = warm(NETWORK)
    with recorder("cpu") as recorded:
        workload.run()
    names = {event.name() for event in recorded.kineto_results.events()}
    watched = {operator for _, _, operator in operators(workload)}
    assert {name for name in watched if name.startswith("gcnn_impl::")} == {
        name for name in names if name.startswith("gcnn_impl::")
    }
    assert "gcnn_impl::batch_norm" in watched


def test_the_generation_of_kernels_is_a_module_of_its_own() -> None:
    assert any(module == KERNELS for _, module, _ in operators(warm(TRAINING)))


def test_a_modules_own_spans_end_when_it_raises() -> None:
    workload = warm(PLAIN)
    with spans_of_modules(workload), recorder("cpu") as recorded:
        with pytest.raises(RuntimeError):
            workload.module(torch.zeros(1, 3, 3, 3))
        run_in_spans(workload)
    (event,) = events_of(recorded.kineto_results)
    assert {each.place.phase for each in segments(placed(event)) if each.place.path} == {"forward", "backward"}


@pytest.mark.parametrize("case", [PLAIN, Case(**SMALL, variant="lifting", resolution=4, direction="forward")])
def test_the_macs_of_operators_are_those_of_the_definition_where_no_faster_path_runs(case: Case) -> None:
    examined = examine(Examine(case))
    assert sum(count.macs for count in examined["counts"]) == examined["macs"] > 0


@pytest.mark.skipif(native.library() is None, reason="the operators in C are not compiled")
def test_the_macs_of_operators_in_c_are_those_of_the_definition() -> None:
    case = Case(**{**SMALL, "channels": 2}, resolution=2, kernels="cached")
    examined = examine(Examine(case))
    by_operator = {count.operator: count.macs for count in examined["counts"] if count.macs}
    assert by_operator.keys() == {"gcnn_impl::mix_conv2d", "gcnn_impl::depthwise_conv2d"}
    assert sum(by_operator.values()) == examined["macs"]


def test_macs_are_counted_in_the_module_that_does_them() -> None:
    found = [count for count in counts(warm(NETWORK)) if count.phase == FORWARD and count.macs]
    assert {"lifting", "blocks"} <= {count.module.split(".")[0] for count in found}
    assert all(count.module for count in found)


def test_the_peak_of_the_memory_is_that_of_a_sweep_and_its_holders_add_up() -> None:
    memory = examine(Examine(NETWORK))["memory"]
    assert memory.peak == pytest.approx(memory.recorded_peak, rel=0.02)
    assert sum(holder.bytes for holder in memory.holders) == memory.peak
    assert max(sum(sizes) for _, sizes in memory.steps) == memory.peak
    assert {"activations", "parameters"} <= {holder.kind for holder in memory.holders}
    assert any(holder.kind == "activations" and "conv" in holder.module for holder in memory.holders)


def test_the_turns_of_a_process_have_passes_with_and_without_the_profiler() -> None:
    answers = Answers()
    assert answers(Enter(TRAINING, 0.02)) is None
    assert all(answers(Turn(0.02)) > 0.02 for _ in range(2))
    found = answers(Finish())
    assert len(found["plain"]) >= 16
    assert len(found["profiled"]) >= 16
    total = sum(seconds for seconds, _ in found["costs"].values())
    assert min(found["profiled"]) <= total <= max(found["profiled"])
    assert found["launches"] is None


def test_an_exception_is_the_answer_of_its_task() -> None:
    outcome = Answers()(Enter(Case(**SMALL, variant="custom", implementation="nowhere:Layer"), 0.02))
    assert (outcome.status, "nowhere" in outcome.message) == ("failed", True)


def test_the_trace_has_operators_and_modules(tmp_path: Path) -> None:
    examine(Examine(TRAINING, tmp_path))
    events = json.loads((tmp_path / TRACE_FILE).read_text())["traceEvents"]
    names = {event.get("name") for event in events}
    assert {"profiled pass", "profiled phase backward", "profiled module kernels()"} <= names


def test_thinning_keeps_the_peak() -> None:
    steps = [(float(number), (number % 101, 0)) for number in range(1000)]
    kept = thinned(steps, most=100)
    assert len(kept) <= 100
    assert max(sizes[0] for _, sizes in kept) == 100
    assert thinned([], most=100) == []
