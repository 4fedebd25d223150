"""Predicted peak memory of a case, from its sizes alone, so that a case that cannot fit is skipped.

The peak, above the memory before the pass, is the sum of some maps, some copies of the kernels, and what nets keep:

    peak ≈ maps · (B·C·|H|·H·W) + weights · (numbers in the convolutions' weights) + what the kernel nets keep

The numbers ``maps`` and ``weights`` at the peak follow from how a variant is computed: the layout copy of the
input, the map between two factors, the output, the tensors saved for backward, the gradients of all these, and oneDNN's
blocked copies of maps whose channels come first. The numbers were read off the memory in use at measured
peaks (``memory.split_memory``) on a processor with AVX-512. ``tests/benchmarks/measure/test_memory_model.py`` checks
that a measured peak is 0.5 to 1.1 times the prediction.

All numbers are float32. Compiled modules have as many maps as eager ones, but for one; layers in bfloat16 take a
measured share (``HALF``). Other devices and libraries, and networks in half precision, allocate differently. In these
cases, and for layers that are not ours, a prediction is a guess, more often too high than too low.
"""

from dataclasses import replace
from math import ceil, prod

from benchmarks.cases.case import OURS, Case
from benchmarks.cases.groups import SUBGROUPS, TRIVIAL
from benchmarks.cases.variants import TURNED, VARIANTS
from benchmarks.workloads.shapes import group_of, shapes
from gcnn_impl import native
from gcnn_impl.calibration import fourier_pays
from gcnn_impl.fourier import CHUNK
from gcnn_impl.irreps import irreps_that_pay

BYTES = 4
# OneDNN's blocked copy of a map pads the channels to a multiple of this vector of float32.
VECTOR = 16
# Hidden units of a kernel net; the net keeps four numbers for each unit and point until its backward.
HIDDEN, KEPT = 64, 4
# Variants that convolve over the group and the plane at once; and variants that apply their first factor to maps whose
# channels come first.
UNFACTORED = ("full", "gseparable", "custom")
CHANNELS_FIRST = ("dseparable", "dgseparable")
# Maps at the peak, (inference, training): of a layer on an input in the ordinary layout, and of a network. Fractions of
# a map are temporary memory of the operators in C.
MAPS: dict[str, tuple[tuple[float, float], ...]] = {
    "plain": ((2, 4), (4, 13)),
    "lifting": ((1, 3),),
    "full": ((2, 5), (4, 12.7)),
    "separable": ((2, 6), (4, 15.9)),
    "gseparable": ((2, 5), (4, 12.7)),
    "dseparable": ((3, 5), (5, 18)),
    "dgseparable": ((3, 6), (5, 21.2)),
    "separable2d": ((3, 7.2), (5, 21)),
    "custom": ((3, 7),),
}
# Maps that a group network does not keep in training, because batch norm, ReLU and residual are one operator in C.
MAPS_OF_NORMS = 3
# More of them in a ResNet on images of an even side, where the norm of a block, pooling and ReLU are one operator.
MAPS_OF_POOLS = 1.5
# Layers with a spatial factor: if this factor has more than three columns, its weight gradient pads another map. A
# separable layer in training uses the operators in C, which pad nothing: it has MAPS_IN_C maps at the peak.
STRIPS, MAPS_IN_C = ("separable", "dgseparable", "separable2d"), 5
# On the Fourier path, a layer also has spectra of maps (inference, training), and chunks of the kernel's spectrum.
FOURIER_SPECTRA, FOURIER_CHUNKS = (4.3, 2.2), 3
# In C, a layer has fewer spectra, and in inference copies of its weights. A ResNet has a map and a copy of its weights
# more in inference; in training, and in an All-CNN-C, other maps take as much memory at another time.
SPECTRA_IN_C, WEIGHTS_IN_C = (1.4, 1.6), 1.1
# Of product_floats in gcnn_impl/native/fourier_product.c: frequencies, input channels (GROUP, DEEP) and output channels
# (WIDE) that a thread takes together, and numbers of the kernel's spectrum at one frequency (STEP).
FREQUENCIES, INPUTS, OUTPUTS, KERNEL_NUMBERS = 12, 64, 32, 2064
# A separable layer that mixes by the Fourier transform over H has a tile of its input and output for each thread; in
# training it has more memory at another time. TILE is TILE_FLOATS of gcnn_impl/native/irreps.c.
TILE = 49152
# Channels of the group network that turns an image upright, and its maps at the peak (inference, training).
ORIENTATION_CHANNELS, ORIENTATION_MAPS = 4, (3, 5.3)
# Maps of an All-CNN-C at the peak, relative to those of the ResNet (inference, training): it pools later.
ALLCNNC_MAPS = (0.9, 0.7)
# Memory of a layer under autocast to bfloat16, relative to float32 by PyTorch's operators (inference, training): the
# base point of profile ``standard``. Three other shapes were within 13 %, but for the training of a small plain layer,
# which takes 2.4 times as much.
HALF: dict[str, tuple[float, float]] = {
    "plain": (0.75, 0.66),
    "lifting": (0.63, 0.53),
    "full": (0.79, 0.66),
    "separable": (0.76, 0.49),
}
NETWORK_WORKSPACE = 1.5  # temporary memory of a network's backward, in maps
# Copies of a layer's weights: cached kernels in another layout; generated kernels; generated kernels and all gradients.
CACHED, GENERATED, TRAINED = 1, 2, 4
# Copies of the largest layer's kernels while a network generates them; the kernels of other layers are added to these.
IN_THE_MAKING = 3


def predict_bytes(case: Case) -> int:
    """Return the predicted peak memory of a pass above the memory before it; 0 (unknown) for a user's network."""
    if case.layer == "network":
        return 0
    return round(BYTES * (_network_numbers(case) if case.is_network else _share(case) * _layer_numbers(case)))


def _share(case: Case) -> float:
    """Return the memory of a layer relative to that in float32."""
    known = case.dtype == "bfloat16" and case.device == "cpu" and case.implementation == OURS
    return HALF.get(case.variant, (1.0, 1.0))[case.direction != "forward"] if known else 1.0


def _maps(case: Case, training: bool) -> float:
    """Return the number of maps at the peak: the row of the variant in ``MAPS``, or else of its ``costs_like``."""
    row = MAPS.get(case.variant) or MAPS[VARIANTS[case.variant].costs_like]
    return row[case.is_network][training]


def _layer_numbers(case: Case) -> float:
    maps_in, maps_out = (prod(shape) for shape in shapes(case))
    training = case.direction != "forward"
    maps = _maps(case, training)
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
        maps += 2 if case.execution == "compiled" and not training else 1  # compiled code adds to no map in place
    if not training and case.variant == "separable" and _mixes_by_irreps(case):
        numbers += 2 * min(case.threads * TILE, maps_out)
    if training and case.variant == "separable" and _uses_c(case):
        maps = MAPS_IN_C - (case.execution == "compiled")  # compiled code releases the copy of the input
    elif training and case.variant in STRIPS and case.kernel_size > 3:
        maps += (1 + (case.kernel_size - 1) / case.image_size) ** 2
    return numbers + maps * maps_out + copies * weights + training * _kept_by_nets(case, case.kernel_size)


def _turned_numbers(case: Case) -> float:
    """Return the numbers of a plain network that sees turned copies of its images."""
    training, copies = case.direction != "forward", case.resolution * case.batch_size
    averaging = case.variant == "averaged" and not training
    batch = copies if averaging else case.batch_size
    plain = replace(case, variant="plain", group=TRIVIAL, resolution=1, kernels="", batch_size=batch)
    numbers, pixels = _network_numbers(plain), copies * case.image_size**2
    if averaging:
        numbers += case.in_channels * pixels
    if case.variant == "canonical":
        scoring = (case.in_channels + ORIENTATION_MAPS[training] * ORIENTATION_CHANNELS) * pixels
        numbers = numbers + scoring if training else max(numbers, scoring)
    return numbers


def _network_numbers(case: Case) -> float:
    if case.variant in TURNED:
        return _turned_numbers(case)
    training = case.direction != "forward"
    one_map: float = case.batch_size * case.resolution * case.channels * case.image_size**2
    if case.layer == "allcnnc":
        one_map *= ALLCNNC_MAPS[training]
    maps, weights = _maps(case, training), _weights(case)
    making = IN_THE_MAKING * max(weights)
    fourier = _fourier_numbers(case, one_map, training) if _through_fourier(case) else 0
    if not training:
        if case.variant in CHANNELS_FIRST:
            maps = max(maps, 3 + 2 * _padding(case))
        elif case.variant == "plain":
            maps = 3 + _padding(case)
        return maps * one_map + fourier + (making if case.kernels == "generated" else CACHED * max(weights))
    if case.variant != "plain" and _uses_c(case):
        maps -= MAPS_OF_NORMS
        if case.layer == "resnet" and case.image_size % 2 == 0:
            maps -= MAPS_OF_POOLS
    kept = sum(_kept_by_nets(case, k) for _, _, k in _convolutions(case))
    backward = max(making, NETWORK_WORKSPACE * one_map) if case.variant != "plain" else 0
    if case.variant in CHANNELS_FIRST:
        backward += one_map * (_padding(case) - 1) / 2
    return maps * one_map + sum(weights) + backward + fourier + kept + _parameters(case)


def _padding(case: Case) -> float:
    """Return the size of oneDNN's blocked copy of a map, relative to the map."""
    return ceil(case.channels / VECTOR) * VECTOR / case.channels


def _on_fast_paths(case: Case) -> bool:
    """Return whether our own paths compute the case: Fourier transforms where they pay, and the operators in C."""
    ours = case.implementation == OURS and case.execution != "graphed"
    return ours and case.device == "cpu" and case.dtype == "float32"


def _uses_c(case: Case) -> bool:
    return _on_fast_paths(case) and native.library() is not None


def _drops_taps(case: Case) -> bool:
    return SUBGROUPS[case.group].rotates and case.kernel_size >= 5


def _taps(kernel_size: int, disc: bool) -> int:
    return (kernel_size - 2) ** 2 + 4 if disc and kernel_size >= 5 else kernel_size**2


def _convolutions(case: Case) -> list[tuple[int, int, int]]:
    """Return C_i, C_o and the kernel size of each convolution of a network, the lifting one first."""
    i, c, k, wide = case.in_channels, case.channels, case.kernel_size, 2 * case.channels
    if case.layer == "allcnnc":
        inner = [(c, c, k), (c, c, k), (c, wide, k), *[(wide, wide, k)] * 3, (wide, wide, 1)]
        return [(i, c, k), *inner, (wide, case.num_classes, 1)]
    return [(i, c, k), (c, c, k), (c, c, k), (c, c, k), (c, wide, k), (c, wide, 1), (wide, wide, 3)]


def _weights(case: Case) -> tuple[int, ...]:
    """Return the numbers in the kernels of each convolution."""
    c = case.channels
    if not case.is_network:
        return (_kernel_numbers(case, case.variant, c, c, case.kernel_size),)
    first = "plain" if case.variant == "plain" else "lifting"
    lifting, *inner = _convolutions(case)
    return _kernel_numbers(case, first, *lifting), *(_kernel_numbers(case, case.variant, *sizes) for sizes in inner)


def _kernel_numbers(case: Case, variant: str, c_in: int, c_out: int, kernel_size: int) -> int:
    h, k, rotations = case.resolution, kernel_size, case.rotations
    full = c_out * h * c_in * h * _taps(k, SUBGROUPS[case.group].rotates)
    numbers = {
        "plain": c_out * c_in * k * k,
        "lifting": c_out * h * c_in * k * k,
        "separable": c_out * h * (c_in * h + k * k),
        "dseparable": c_out * (c_in + h * h * k * k),
        "dgseparable": c_out * (c_in + h * h + h * k * k),
        "separable2d": c_out * (c_in * rotations**2 + case.scales**2 + h * k * k),
    }
    return numbers.get(variant, numbers.get(VARIANTS[variant].costs_like, full))


def _kept_by_nets(case: Case, kernel_size: int) -> int:
    """Return the numbers that the kernel nets of a layer keep until backward.

    Each rotation of the grid turns the taps. Taps that quarter or half turns map to each other are computed once.
    """
    if case.fixed_weights:
        return 0
    quarter_turns = 4 if case.rotations % 4 == 0 else 2 if case.rotations % 2 == 0 else 1
    pairs = case.resolution ** (2 if case.variant in ("full", "dseparable") else 1)
    points = pairs * kernel_size**2 / (quarter_turns if _drops_taps(case) else 1)
    return round(KEPT * HIDDEN * points)


def _parameters(case: Case) -> int:
    """Return the number of parameters of a network."""
    if case.fixed_weights:
        return sum(_weights(case))
    c = case.channels
    hidden_layers, last_layers = 7 * 2 * HIDDEN * (HIDDEN + 4), 11 * HIDDEN * c * c  # of the kernel nets
    return hidden_layers + last_layers + 256 * (2 * c + case.num_classes)


def _mixes_by_irreps(case: Case) -> bool:
    group = group_of(case)
    return group is not None and _uses_c(case) and irreps_that_pay(group, case.channels, case.channels) is not None


def _through_fourier(case: Case, pooled: bool = False) -> bool:
    """Return whether the Fourier path computes a layer, or the first layers of a network, or those after pooling."""
    if case.variant not in UNFACTORED or case.kernel_size == 1 or not _on_fast_paths(case):
        return False
    maps, side = case.channels * case.resolution * (1 + pooled), max(case.image_size // (1 + pooled), 1)
    taps, radius = _taps(case.kernel_size, _drops_taps(case)), case.kernel_size // 2
    return fourier_pays(case.batch_size, side, side, maps, maps, taps, radius, _uses_c(case))


def _fourier_numbers(case: Case, one_map: float, training: bool) -> float:
    """Return how many numbers the Fourier path adds: spectra of the maps, and what belongs to the kernel's spectrum.

    They are added to the maps of a direct convolution. By PyTorch's operators, it has more maps at its peak in training
    than in inference, so a layer then adds fewer; a network also keeps the spectra of its first block, and a quarter as
    many of its second.
    """
    radius, side = case.kernel_size // 2, case.image_size
    spectrum = one_map * 2 * ((side + radius) // 2 + 1) * (side + radius) / side**2
    in_network = training and case.is_network
    if _uses_c(case):
        maps, folds_kernels = SPECTRA_IN_C[training] * spectrum, not training
        if case.is_network:
            maps = one_map if case.layer == "resnet" and not training else 0
            # While kernels are generated, a network has more copies of them than the transform needs.
            folds_kernels &= case.kernels != "generated" and _through_fourier(case, pooled=True)
        copies = WEIGHTS_IN_C * max(_weights(case)) if folds_kernels else 0
        channels = ceil(case.channels * case.resolution / INPUTS) * INPUTS
        of_thread = 3 * FREQUENCIES * (KERNEL_NUMBERS + case.batch_size * (channels + OUTPUTS))
        return maps + copies + case.threads * of_thread
    spectra = FOURIER_SPECTRA[training and not in_network] + 3 * in_network
    return spectra * spectrum + FOURIER_CHUNKS * CHUNK
