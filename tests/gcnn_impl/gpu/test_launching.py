"""Operators in Triton refuse tensors that their kernels would read beyond the end."""

import pytest
import torch

from gcnn_impl.gpu import depthwise, norm, siren  # noqa: F401  (registers the operators)
from gcnn_impl.gpu.launching import ceil_div, power_of_two

OPERATORS = torch.ops.gcnn_impl


def depthwise_arguments(device: str) -> dict[str, object]:
    images, weight, bias = torch.randn(2, 6, 5, 8), torch.randn(3, 3, 8), torch.randn(4)
    tensors = {"images": images.to(device), "weight": weight.to(device), "bias": bias.to(device)}
    return {**tensors, "padding": 1, "disc": True, "flip": False}


def siren_arguments(device: str) -> dict[str, object]:
    shapes = (7, 2), (7,), (7, 7), (7,), (12, 7), (12,)
    return {
        "coordinates": torch.randn(5, 2, device=device),
        "weights": torch.randn(5, device=device),
        "index": torch.zeros(2, 9, dtype=torch.int64, device=device),
        "taps": None,
        "parameters": [torch.randn(shape, device=device) for shape in shapes],
        "omega": 10.0,
        "channels": 4,
    }


def norm_arguments(device: str) -> dict[str, object]:
    x, residual = torch.randn(2, 3, 3, 4, 5, device=device), torch.randn(2, 3, 3, 4, 5, device=device)
    of_channels = {name: torch.ones(5, device=device) for name in ("weight", "bias", "running_mean", "running_var")}
    options = {"of_batch": True, "momentum": 0.1, "eps": 1e-5, "relu": True}
    return {"x": x, **of_channels, "residual": residual, **options}


RIGHT = {"depthwise_triton": depthwise_arguments, "siren_triton": siren_arguments, "batch_norm_triton": norm_arguments}
WRONG = {
    "depthwise_triton": [
        {"images": torch.randn(2, 6, 5, 7)},
        {"images": torch.randn(2, 6, 5, 8).mT},
        {"images": torch.randn(2, 6, 5, 8, dtype=torch.float64)},
        {"images": torch.randn(0, 6, 5, 8)},
        {"images": torch.randn(6, 5, 8)},
        {"weight": torch.randn(3, 5, 8)},
        {"weight": torch.randn(2, 2, 8)},
        {"weight": torch.randn(3, 3, 4)},
        {"bias": torch.randn(3)},
        {"bias": torch.randn(4, 1)},
        {"padding": -1},
        {"padding": 3},
        {"images": torch.randn(2, 1, 5, 8), "padding": 0},
    ],
    "siren_triton": [
        {"weights": torch.randn(4)},
        {"coordinates": torch.randn(5, 3)},
        {"index": torch.zeros(2, 9, dtype=torch.int32)},
        {"index": torch.zeros(9, dtype=torch.int64)},
        {"taps": torch.zeros(2, 2, dtype=torch.int64)},
        {"taps": torch.zeros(3)},
        {"channels": 0},
        {"channels": 5},
        {"parameters": [torch.randn(shape) for shape in ((7, 2), (7,), (7, 7), (7,), (12, 7), (11,))]},
        {"parameters": [torch.randn(shape) for shape in ((7, 2), (7,), (6, 7), (7,), (12, 7), (12,))]},
    ],
    "batch_norm_triton": [
        {"weight": torch.ones(4)},
        {"weight": None},
        {"running_var": None},
        {"running_mean": torch.ones(5, 1), "running_var": torch.ones(5, 1)},
        {"residual": torch.randn(2, 3, 3, 4, 4)},
        {"residual": torch.randn(2, 3, 3, 5, 4).mT},
        {"x": torch.randn(2, 3, 3, 4, 6)},
        {"running_mean": None, "running_var": None, "of_batch": False},
    ],
}


def moved(value: object, device: str) -> object:
    if isinstance(value, list):
        return [moved(item, device) for item in value]
    return value.to(device) if isinstance(value, torch.Tensor) else value


@pytest.mark.parametrize(("name", "change"), [(name, change) for name, changes in WRONG.items() for change in changes])
def test_operands_that_do_not_fit_are_refused(name: str, change: dict[str, object], device: str) -> None:
    arguments, operator = RIGHT[name](device), getattr(OPERATORS, name)
    operator(**arguments)
    with pytest.raises((ValueError, IndexError)):
        operator(**arguments | {key: moved(value, device) for key, value in change.items()})


def test_a_gradient_of_another_shape_is_refused(device: str) -> None:
    given = depthwise_arguments(device)
    images, weight = given["images"], given["weight"]
    with pytest.raises(ValueError, match="whose sizes fit each other"):
        OPERATORS.depthwise_backward_triton(images[:, 1:].contiguous(), images, weight, 1, True, False, True, False)
    _, partial = OPERATORS.depthwise_backward_triton(images, images, weight, 1, True, False, True, True)
    for wrong in (partial[:, 1:].contiguous(), partial[..., :4].contiguous()):
        with pytest.raises(ValueError, match="whose sizes fit each other"):
            OPERATORS.depthwise_add_triton(wrong, weight, True, False, 4)
    with pytest.raises(ValueError, match="whose sizes fit each other"):
        OPERATORS.depthwise_add_triton(partial, weight, True, False, 3)


def test_the_gradients_of_siren_and_norm_are_checked_too(device: str) -> None:
    given = siren_arguments(device)
    values, counters = OPERATORS.siren_triton(**given)
    fixed = [given[name] for name in ("coordinates", "weights", "index", "taps", "parameters")]
    OPERATORS.siren_backward_triton(values, *fixed, counters, 10.0)
    for gradient, counted in ((values[..., :1].contiguous(), counters), (values, counters[1:])):
        with pytest.raises(ValueError, match="must be those|whose sizes fit"):
            OPERATORS.siren_backward_triton(gradient, *fixed, counted, 10.0)
    x = torch.randn(2, 3, 5, device=device)
    mean = torch.zeros(5, device=device)
    for gradient, statistics in ((x[:1], mean), (x, mean[:4])):
        with pytest.raises(ValueError, match="whose sizes fit each other"):
            OPERATORS.batch_norm_backward_triton(gradient, x, None, None, statistics, mean, None, True, True)


def test_blocks_hold_everything_and_powers_are_the_least() -> None:
    assert [ceil_div(count, 4) for count in (1, 4, 5)] == [1, 1, 2]
    assert [power_of_two(count) for count in (1, 2, 3, 16, 17)] == [1, 2, 4, 16, 32]
