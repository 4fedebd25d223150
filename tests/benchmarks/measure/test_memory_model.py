"""Measured peaks are 0.5 to 1.1 times the predicted peaks, and predictions grow with every size."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from benchmarks.cases.case import Case
from benchmarks.cases.profiles import profile_cases
from benchmarks.cases.variants import LAYER_VARIANTS, NETWORK_VARIANTS
from benchmarks.measure import memory_model
from benchmarks.measure.memory import peak_memory
from benchmarks.measure.memory_model import predict_bytes
from benchmarks.workloads.build import build_workload

# Measured / predicted. Too low a prediction lets the machine run out of memory; too high a prediction skips a case.
HIGHEST, LOWEST = 1.1, 0.5
PLAIN: dict[str, Any] = {"variant": "plain", "group": "trivial", "resolution": 1}
VARIANTS: list[dict[str, Any]] = [
    PLAIN,
    *({"variant": v} for v in ("lifting", "full", "separable", "gseparable", "dseparable", "dgseparable")),
    {"variant": "separable2d", "group": "SO2xRPlus", "scales": 2},
    {"variant": "full", "group": "O2"},
    {"variant": "separable", "group": "RPlus", "resolution": 4, "scales": 4},
    {"variant": "full", "resolution": 5},
    {"variant": "averaged"},
    {"variant": "canonical", "in_channels": 3},
]
SHAPES: list[dict[str, Any]] = [
    {"channels": 8, "batch_size": 8, "image_size": 16},
    {"channels": 16, "batch_size": 2, "image_size": 18, "kernel_size": 3},
    {"channels": 12, "batch_size": 3, "image_size": 20, "kernel_size": 7},
]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Compute on the one thread of the cases: each thread of the operators in C has memory of its own."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("layer", ["conv", "resnet", "allcnnc"])
@pytest.mark.parametrize("i", range(len(VARIANTS)), ids=lambda i: " ".join(map(str, VARIANTS[i].values())))
def test_a_prediction_is_right_to_a_factor_and_never_much_too_low(layer: str, i: int) -> None:
    fields = SHAPES[i % len(SHAPES)] | VARIANTS[i]
    if fields["variant"] not in (LAYER_VARIANTS if layer == "conv" else NETWORK_VARIANTS):
        pytest.skip("no such module")
    for direction, kernels in [("forward", "cached"), ("forward", "generated"), ("training_step", "generated")]:
        if fields["variant"] in ("plain", "averaged") and (direction, kernels) == ("forward", "generated"):
            continue
        case = Case(layer=layer, direction=direction, kernels=kernels, **fields)
        workload = build_workload(case)
        workload.prepare()
        workload.run()
        measured = int(peak_memory(workload.run, "cpu", prepare=workload.prepare)["peak_bytes"])
        ratio = measured / predict_bytes(case)
        print(f"{case.label}: measured {measured / 2**20:.2f} MiB, {ratio:.2f} of the prediction")  # pytest -rP
        assert LOWEST <= ratio <= HIGHEST, case.label


@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
@pytest.mark.parametrize("variant", list(memory_model.HALF))
def test_a_prediction_for_bfloat16_is_right_by_a_sixth(variant: str, direction: str) -> None:
    plain = PLAIN if variant == "plain" else {"variant": variant, "resolution": 4}
    case = Case(direction=direction, dtype="bfloat16", channels=16, batch_size=8, image_size=20, **plain)
    workload = build_workload(case)
    workload.run()
    workload.prepare()
    measured = int(peak_memory(workload.run, "cpu", prepare=workload.prepare)["peak_bytes"])
    assert 5 / 6 <= measured / predict_bytes(case) <= 6 / 5


@pytest.mark.parametrize(("in_c", "factor"), [(False, 1.5), (True, 1.1)])
def test_the_fourier_path_takes_more_memory(in_c: bool, factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(variant="full", direction="forward_backward")
    monkeypatch.setattr(memory_model, "_uses_c", lambda case: in_c)
    monkeypatch.setattr(memory_model, "fourier_pays", lambda *sizes: False)
    direct = predict_bytes(case)
    monkeypatch.setattr(memory_model, "fourier_pays", lambda *sizes: True)
    assert predict_bytes(case) > factor * direct


@pytest.mark.parametrize("direction", ["forward", "forward_backward"])
def test_a_prediction_for_the_fourier_path_is_right_by_a_sixth(direction: str) -> None:
    case = Case(variant="full", direction=direction, channels=16, batch_size=16, image_size=20)
    assert memory_model._through_fourier(case)
    workload = build_workload(case)
    workload.run()
    workload.prepare()
    measured = int(peak_memory(workload.run, "cpu", prepare=workload.prepare)["peak_bytes"])
    assert 5 / 6 <= measured / predict_bytes(case) <= 6 / 5


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("profile", ["quick", "standard", "full"])
def test_every_case_has_a_prediction(profile: str, device: str) -> None:
    assert min(predict_bytes(case) for case in profile_cases(profile, device=(device,))) > 0


def test_predictions_grow_with_every_size() -> None:
    case = {"variant": "full", "direction": "forward_backward"}
    for axis, values in {"batch_size": (1, 2, 64), "image_size": (14, 28, 56), "channels": (8, 16, 64)}.items():
        predictions = [predict_bytes(Case(**(case | {axis: value}))) for value in values]
        assert predictions == sorted(set(predictions)), axis


def test_users_layers_and_peers_have_a_guess() -> None:
    own = Case(implementation="package.module:Layer", variant="custom")
    assert predict_bytes(own) >= 3 * 16 * 16 * 8 * 28 * 28 * 4
    assert predict_bytes(Case(implementation="torch", variant="full")) > 0
