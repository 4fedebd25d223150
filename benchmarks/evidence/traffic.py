"""``python -m benchmarks.evidence.traffic``: bytes that layers move on CUDA and kernels that they launch.

Nothing is computed and no GPU is needed: the layers run on tensors without values (``FakeTensorMode``), through the
code that CUDA tensors take. An operator counts as if it fetched its operands from memory and wrote its results there,
and as one launch, although cuDNN may start several kernels for one convolution. Bytes are compared with the floor: what
a pass must move if it reads every input once and writes every output once. In a forward pass these are the map, the
cached kernels, the bias and the result; in a training pass the map, the gradient of the result, the parameters, the
result and the gradients of the map and of the parameters.
"""

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from unittest import mock

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from benchmarks.answers.text_tables import markdown_table
from benchmarks.measure.roofline import Traffic
from gcnn_impl import SO2, LiftingConv2d, functional, gpu
from gcnn_impl.gpu import switch
from gcnn_impl.layers.base import Convolution
from gcnn_impl.models import CONVOLUTIONS
from gcnn_impl.native import build

VARIANTS = ("lifting", "full", "separable", "dseparable")
BATCHES = (1, 64)
CHANNELS, RESOLUTION, KERNEL_SIZE, SIDE = 32, 8, 7, 28


@dataclass(frozen=True)
class Moved:
    """The bytes that a pass moves, and the number of operators that start a kernel."""

    bytes: int
    launches: int


@contextlib.contextmanager
def as_on_cuda(triton: bool) -> Iterator[None]:
    """Let tensors without values take the path of CUDA tensors.

    Their device is the CPU, because torch computes no gradients on CUDA where there is no CUDA.
    """
    with (
        FakeTensorMode(allow_non_fake_inputs=True),
        mock.patch.object(build, "library", return_value=None),
        mock.patch.object(switch, "DEVICES", ("cpu",)),
        mock.patch.object(functional, "fourier_pays", return_value=False),
        gpu.turned(triton),
    ):
        yield


def layer_of(variant: str) -> Convolution:
    """Return the layer of a variant at the base point of ``docs/performance.md``."""
    layer = LiftingConv2d if variant == "lifting" else CONVOLUTIONS[variant]
    return layer(CHANNELS, CHANNELS, KERNEL_SIZE, SO2(RESOLUTION), padding=KERNEL_SIZE // 2)


def moved(variant: str, batch: int, training: bool, triton: bool) -> tuple[Moved, int]:
    """Return what a pass moves, and the floor of its bytes. Maps are group-major, as our layers return them."""
    layer = layer_of(variant).train(training)
    with as_on_cuda(triton):
        image = torch.empty(batch, SIDE, SIDE, CHANNELS).permute(0, 3, 1, 2)
        images = torch.empty(batch, SIDE, SIDE, RESOLUTION, CHANNELS).permute(0, 4, 3, 1, 2)
        x = image if variant == "lifting" else images
        upstream = torch.empty_like(images)
        counted = Traffic()
        if training:
            inputs = [x.requires_grad_(), *layer.parameters()]
            with counted:
                torch.autograd.grad(layer(x), inputs, upstream)
        else:
            with torch.no_grad():
                layer.freeze()
                with counted:
                    layer(x)
        floor = floor_bytes(layer, x, upstream, training=training)
    return Moved(counted.bytes, counted.operators), floor


def floor_bytes(layer: Convolution, x: Tensor, y: Tensor, *, training: bool) -> int:
    """Return the floor of the bytes of a pass from a map x to a map y: each input read once, each output written once.

    A training pass also reads the gradient of y, and writes a gradient for x and for each parameter.
    """
    with torch.no_grad():
        constants = list(layer.parameters()) if training else [layer.bias, *layer.kernels()]
    once = x.nbytes + y.nbytes + sum(t.nbytes for t in constants if t is not None)
    return 2 * once if training else once


def table() -> list[tuple[str, ...]]:
    """Return the rows of the table, the heading first."""
    rows: list[tuple[str, ...]] = [
        ("layer", "pass", "batch", "floor, MiB", "PyTorch", "launches", "Triton", "launches")
    ]
    for variant in VARIANTS:
        for training in (False, True):
            for batch in BATCHES:
                (pytorch, floor), (triton, _) = (moved(variant, batch, training, on) for on in (False, True))
                cells = [
                    cell for found in (pytorch, triton) for cell in (f"{found.bytes / floor:.2f}", str(found.launches))
                ]
                name = "training" if training else "forward"
                rows.append((variant, name, str(batch), f"{floor / 2**20:.2f}", *cells))
    return rows


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    print("\n".join(markdown_table(table())))


if __name__ == "__main__":
    main()
