"""Whether the Fourier transform over the plane pays on this processor.

The costs in ``fourier`` were fitted to the layers of one processor. On another one, the operators in C and a direct
convolution may both be faster or slower than there. Where the choice between them depends on that, both convolve a few
small layers in turns, in less than a second, the first time that a process needs to know. The measured cost as a
multiple of the fitted one is kept beside the compiled operators, for this processor and this version of torch.

``GCNN_IMPL_CALIBRATION=0`` takes the fitted costs as they are: then all processors choose the same algorithms.
"""

import contextlib
import functools
import math
import os
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from gcnn_impl.fourier import COSTS, COSTS_IN_C, relative_cost, square
from gcnn_impl.native import build, cache, fourier_conv
from gcnn_impl.watching import constant_in_compiled_code, is_in_mode, is_traced_or_transformed

VARIABLE = "GCNN_IMPL_CALIBRATION"
# (images, maps, radius) of the layers that are timed, on planes of SIDE × SIDE pixels, and how often.
LAYERS = ((8, 64, 2), (4, 64, 3), (4, 128, 2))
SIDE, TURNS = 28, 5
# A busy machine changes the measured ratio by up to this factor; ratios nearer to 1 count as 1.
NOISE = 1.25
# A ratio is between 1 / MOST and MOST, whatever was measured.
MOST = 4.0


def fourier_pays(
    batch: int, height: int, width: int, in_maps: int, out_maps: int, taps: int, radius: int, in_c: bool
) -> bool:
    """Return whether the transform should be faster than a direct convolution; the arguments of ``relative_cost``."""
    cost = relative_cost(batch, height, width, in_maps, out_maps, taps, radius, in_c)
    cost *= (COSTS_IN_C if in_c else COSTS).margin
    if not in_c or not 1 / MOST < cost < MOST:
        return cost < 1
    return cost * ratio() < 1


@constant_in_compiled_code
def ratio() -> float:
    """Return the time of the transform in C on this processor, as a multiple of the fitted time; measured once."""
    if build.library() is None or os.environ.get(VARIABLE) == "0":
        return 1.0
    # Inside of a transformation or a mode, a measurement would become a part of what is transformed or watched.
    if is_traced_or_transformed() or is_in_mode():
        return _stored() or 1.0
    return _calibrated()


@functools.cache
def _calibrated() -> float:
    found = _stored()
    if found is None:
        _store(found := believed(measured_ratios()))
    return found


def believed(ratios: list[float]) -> float:
    """Return the geometric mean of measured ratios: 1 if it may be noise, and never beyond ``MOST``.

    >>> believed([1.3, 0.9, 1.2]), believed([2.0, 2.0, 2.0]), believed([0.1])
    (1.0, 2.0, 0.25)
    """
    mean = math.exp(math.fsum(map(math.log, ratios)) / len(ratios))
    return 1.0 if 1 / NOISE < mean < NOISE else round(min(max(mean, 1 / MOST), MOST), 2)


def measured_ratios() -> list[float]:
    """Return, for each of ``LAYERS``, the time of the transform over that of a direct convolution, over the fitted one.

    All is computed on one thread: on a busy machine, several wait for each other.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            return [_measured_ratio(*layer) for layer in LAYERS]
    finally:
        torch.set_num_threads(threads)


def _measured_ratio(batch: int, maps: int, radius: int) -> float:
    size = 2 * radius + 1
    x = _values(batch, SIDE, SIDE, maps).permute(0, 3, 1, 2)
    taps = _values(size * size, maps, maps)
    weight = taps.view(size, size, maps, maps).permute(2, 3, 0, 1).contiguous(memory_format=torch.channels_last)
    offsets = square(radius)
    ways: tuple[Callable[[], Tensor], ...] = (
        lambda: fourier_conv.convolve(x, taps, offsets, None),
        lambda: conv2d(x, weight, None, 1, radius),
    )
    transform, direct = fastest(ways)
    return transform / direct / relative_cost(batch, SIDE, SIDE, maps, maps, len(taps), radius, True)


def _values(*shape: int) -> Tensor:
    """Return numbers that no generator drew, so that none is disturbed; dtype and device are not the defaults'."""
    return torch.arange(math.prod(shape), dtype=torch.float32, device="cpu").sin().view(shape)


def fastest(ways: tuple[Callable[[], Tensor], ...]) -> list[float]:
    """Return the seconds of the fastest of ``TURNS`` calls of each function, in turns; one call goes before."""
    times: list[list[float]] = [[] for _ in ways]
    for turn in range(TURNS + 1):
        for way, of_way in zip(ways, times, strict=True):
            begin = time.perf_counter()
            way()
            of_way += [time.perf_counter() - begin] if turn else []
    return [min(of_way) for of_way in times]


@functools.cache
def _name() -> str:
    """Return the name of the file: a hash of the processor, of torch, and of all that the fitted times depend on."""
    sources = [path.read_text(encoding="utf-8") for path in sorted(build.SOURCES.glob("fourier*.[ch]"))]
    facts = *build.processor(), torch.__version__, repr(COSTS_IN_C), repr(LAYERS), *sources
    return f"calibration-{build.digest(*facts)}"


def _stored() -> float | None:
    """Return the ratio that this user has measured on this processor; None if there is none."""
    for folder in cache.folders():
        with contextlib.suppress(OSError, ValueError):
            content = cache.read(folder / _name())
            if content is not None and 1 / MOST <= (found := float(content)) <= MOST:
                return found
    return None


def _store(found: float) -> None:
    """Keep the ratio in the first folder that takes it; without any, each process measures."""
    for folder in cache.folders():
        with contextlib.suppress(OSError):
            cache.make_private(folder)
            cache.store(folder / _name(), str(found).encode())
            return
