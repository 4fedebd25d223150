"""Predicted peak memory of a case, from its sizes alone: what cannot fit is skipped before it takes the machine down.

The peak above the baseline is a number of maps, a number of kernels, and a little more:

    peak ≈ maps · (B·C·|H|·H·W) + weights · (numbers in the convolutions' weights) + what the kernel nets keep

How many of either are alive at the worst moment follows from how a variant is computed: the layout copy of the input,
what lies between two factors, the output, what is saved for backward, the gradients of all these, and the blocked
copies that oneDNN makes of maps whose channels come first. The counts were read off the blocks that are alive at
measured peaks (``memory.split_memory``) on a processor with AVX-512, and ``tests/benchmarks/test_memory_model.py``
holds them to a factor.

Everything counts as float32. Another device or library, a compiled module or half precision allocates differently:
there, and for layers that are not ours, a prediction is a guess, more often too high than too low.
"""

from collections.abc import Mapping
from math import ceil, prod

from benchmarks.cases.case import Case
from benchmarks.cases.groups import SUBGROUPS
from benchmarks.cases.variants import VARIANTS
from benchmarks.workloads.shapes import CLASSES, shapes
from gcnn_impl import native
from gcnn_impl.fourier import CHUNK, fourier_pays

BYTES = 4
# OneDNN pads the channels of a blocked map to a vector of float32.
VECTOR = 16
# Hidden units of a kernel net; it keeps four numbers a unit and point for its backward.
HIDDEN, KEPT = 64, 4
# The variants that are convolutions over the group and the plane at once, and those whose first factor is applied to
# maps with the channels first.
UNFACTORED = ("full", "gseparable", "custom")
CHANNELS_FIRST = ("dseparable", "dgseparable")
# Maps alive at the peak of a layer (on input in the ordinary layout) and of a network: (inference, training). A layer
# with a spatial factor of more than three columns also pads a map in its weight gradient; parts of a map are scratch of
# the operators in C.
LAYER_MAPS: dict[str, tuple[float, float]] = {
    "plain": (2, 4),
    "lifting": (1, 3),
    "full": (2, 5),
    "gseparable": (2, 5),
    "custom": (3, 7),
}
LAYER_MAPS |= {"separable": (2, 6), "dseparable": (3, 5), "dgseparable": (3, 6), "separable2d": (3, 7.2)}
NETWORK_MAPS = {"plain": (4, 13), "full": (4, 12.7), "gseparable": (4, 12.7)}
NETWORK_MAPS |= {"separable": (4, 15.9), "dseparable": (5, 18), "dgseparable": (5, 21.2), "separable2d": (5, 21)}
# On the Fourier path of a layer beside that: spectra (inference, training), and chunks of the kernel's.
FOURIER_SPECTRA, FOURIER_CHUNKS = (4.3, 2.2), 3
NETWORK_WORKSPACE = 1.5  # maps, in a network's backward
STRIPS = ("separable", "dgseparable", "separable2d")
# Of a separable layer in training whose operators are those in C, which pad nothing.
MAPS_IN_C = 5
# Copies of a layer's weights that are alive: cached kernels in another layout; generated; with all their gradients.
CACHED, GENERATED, TRAINED = 1, 2, 4
# A layer's kernels while they are made, beside those of all others, in a network.
IN_THE_MAKING = 3


def predict_bytes(case: Case) -> int:
    """Peak memory of a pass above what is there before it."""
    numbers = _network_numbers(case) if case.layer == "resnet" else _layer_numbers(case)
    return round(numbers * BYTES)


def _maps(table: Mapping[str, tuple[float, float]], variant: str) -> tuple[float, float]:
    """Return a variant's row of a table; a variant that was not looked at yet has that of the one it costs like."""
    return table.get(variant) or table[VARIANTS[variant].costs_like]


def _layer_numbers(case: Case) -> float:
    maps_in, maps_out = (prod(shape) for shape in shapes(case))
    training = case.direction != "forward"
    maps: float = _maps(LAYER_MAPS, case.variant)[training]
    (weights,) = _weights(case)
    copies = TRAINED if training else CACHED if case.kernels == "cached" else GENERATED
    numbers = 0.0
    if case.variant == "plain":
        maps += _padding(case) - 1
    elif case.variant == "lifting":
        numbers += (1 + training) * maps_in
        copies += 1
    elif case.variant in CHANNELS_FIRST:
        blocked = 2 * _padding(case)
        maps = max(maps, blocked + 3 if training and blocked > 3 else blocked)
    elif _through_fourier(case):
        numbers += _fourier_numbers(case, maps_out, training)
    elif case.variant in UNFACTORED and _drops_taps(case):
        maps += 1
    if training and case.variant == "separable" and _on_fast_paths(case) and native.library():
        maps = MAPS_IN_C
    elif training and case.variant in STRIPS and case.kernel_size > 3:
        maps += _padded_map(case)
    return numbers + maps * maps_out + copies * weights + training * _kept_by_nets(case, case.kernel_size)


def _network_numbers(case: Case) -> float:
    training = case.direction != "forward"
    one_map = case.batch_size * case.resolution * case.channels * case.image_size**2
    maps: float = _maps(NETWORK_MAPS, case.variant)[training]
    weights = _weights(case)
    making = IN_THE_MAKING * max(weights)
    fourier = _fourier_numbers(case, one_map, training) if _through_fourier(case) else 0
    if not training:
        padded = _padding(case)
        if case.variant in CHANNELS_FIRST:
            maps = max(maps, 3 + 2 * padded)
        elif case.variant == "plain":
            maps = 3 + padded
        return maps * one_map + fourier + (making if case.kernels == "generated" else CACHED * max(weights))
    kept = sum(_kept_by_nets(case, k) for k in _kernel_sizes(case))
    backward = max(making, NETWORK_WORKSPACE * one_map) if case.variant != "plain" else 0
    if case.variant in CHANNELS_FIRST:
        backward += one_map * (_padding(case) - 1) / 2
    return maps * one_map + sum(weights) + backward + fourier + kept + _parameters(case)


def _padding(case: Case) -> float:
    """How much larger oneDNN's blocked copy of a map is."""
    return ceil(case.channels / VECTOR) * VECTOR / case.channels


def _on_fast_paths(case: Case) -> bool:
    """Whether it is computed as ours alone are: by Fourier transforms where they pay, and by the operators in C."""
    ours = case.implementation == "gcnn_impl" and case.execution == "eager"
    return ours and case.device == "cpu" and case.dtype == "float32"


def _padded_map(case: Case) -> float:
    return (1 + (case.kernel_size - 1) / case.image_size) ** 2


def _drops_taps(case: Case) -> bool:
    return SUBGROUPS[case.group].rotates and case.kernel_size >= 5


def _taps(kernel_size: int, disc: bool) -> int:
    return (kernel_size - 2) ** 2 + 4 if disc and kernel_size >= 5 else kernel_size**2


def _kernel_sizes(case: Case) -> tuple[int, ...]:
    """Of a network's convolutions, lifting first: two in either block, the skip of the second, the last."""
    k = case.kernel_size
    return k, k, k, k, k, 1, 3


def _weights(case: Case) -> tuple[int, ...]:
    """Numbers in the largest kernel of every convolution."""
    c = case.channels
    if case.layer == "conv":
        return (_kernel_numbers(case, case.variant, c, c, case.kernel_size),)
    first = "plain" if case.variant == "plain" else "lifting"
    channels = [(c, c), (c, c), (c, c), (c, 2 * c), (c, 2 * c), (2 * c, 2 * c)]
    lifting, *sizes = _kernel_sizes(case)
    inner = (_kernel_numbers(case, case.variant, i, o, k) for (i, o), k in zip(channels, sizes, strict=True))
    return _kernel_numbers(case, first, 1, c, lifting), *inner


def _kernel_numbers(case: Case, variant: str, c_in: int, c_out: int, kernel_size: int) -> int:
    h, k = case.resolution, kernel_size
    disc = SUBGROUPS[case.group].rotates
    match variant:
        case "plain":
            return c_out * c_in * k * k
        case "lifting":
            return c_out * h * c_in * k * k
        case "separable":
            return c_out * h * (c_in * h + k * k)
        case "dseparable":
            return c_out * (c_in + h * h * k * k)
        case "dgseparable":
            return c_out * (c_in + h * h + h * k * k)
        case "separable2d":
            rotations = case.rotations
            return c_out * (c_in * rotations**2 + case.scales**2 + h * k * k)
    return c_out * h * c_in * h * _taps(k, disc)


def _kept_by_nets(case: Case, kernel_size: int) -> int:
    """What the kernel nets of a layer keep: relative elements turn the taps, so a net sees few of them once each."""
    if case.fixed_weights:
        return 0
    quarter_turns = 4 if case.rotations % 4 == 0 else 2 if case.rotations % 2 == 0 else 1
    pairs = case.resolution ** (2 if case.variant in ("full", "dseparable") else 1)
    points = pairs * kernel_size**2 / (quarter_turns if _drops_taps(case) else 1)
    return round(KEPT * HIDDEN * points)


def _parameters(case: Case) -> int:
    """The last layers of the nets, which make a value for every pair of channels, and a network's classifier."""
    c = case.channels
    net = HIDDEN * (HIDDEN + 4)
    if case.layer == "conv":
        return _kernel_numbers(case, "plain", c, c, case.kernel_size) if case.fixed_weights else net + HIDDEN * c * c
    if case.fixed_weights:
        return sum(_weights(case))
    return 7 * 2 * net + HIDDEN * c * c * 11 + 256 * (2 * c + CLASSES)


def _through_fourier(case: Case) -> bool:
    if case.variant not in UNFACTORED or case.kernel_size == 1 or not _on_fast_paths(case):
        return False
    maps, side, taps = case.channels * case.resolution, case.image_size, _taps(case.kernel_size, _drops_taps(case))
    return fourier_pays(case.batch_size, side, side, maps, maps, taps, case.kernel_size // 2)


def _fourier_numbers(case: Case, one_map: int, training: bool) -> float:
    """Beside the direct convolution's: spectra of the maps, and chunks of the kernel's.

    A layer's peak is that of its forward also in training, where the direct convolution's has more maps. A network
    keeps the spectra of its first block (and a quarter of as many of its second) beside.
    """
    radius, side = case.kernel_size // 2, case.image_size
    spectrum = one_map * 2 * ((side + radius) // 2 + 1) * (side + radius) / side**2
    in_network = training and case.layer == "resnet"
    spectra = FOURIER_SPECTRA[training and not in_network] + 3 * in_network
    return spectra * spectrum + FOURIER_CHUNKS * CHUNK
