"""The cases of the parts that measure, in the order of their value, and how often each pass is repeated."""

from typing import Any

from benchmarks.cases.case import OURS, Case
from benchmarks.cases.cores import available_cores
from benchmarks.cases.peers import PEERS
from benchmarks.cases.profiles import expand
from benchmarks.measure.sampling import Sampling

VARIANTS = ("separable", "full", "plain", "dseparable", "lifting")
SAMPLING = {
    "full": Sampling(rounds=3, min_samples=9, seconds=0.6),
    "smoke": Sampling(rounds=2, min_samples=2, seconds=0.02),
}
PASSES = ("forward_backward", "forward")
# The base point, the other sizes, and the paper's network: of the issue, and so small that a processor takes seconds.
BASE: dict[str, dict[str, Any]] = {
    "full": {"channels": 32, "resolution": 8, "batch_size": 64, "kernel_size": 7, "image_size": 28},
    "smoke": {"channels": 2, "resolution": 4, "batch_size": 2, "kernel_size": 3, "image_size": 9},
}
BATCHES = {"full": (256, 16, 1), "smoke": (1,)}
RESOLUTIONS = {"full": (16, 4), "smoke": (2,)}
# A base point's executions on CUDA; a processor has no graphs.
FAST = {"cuda": ("eager", "graphed"), "cpu": ("eager",)}
# Compiling takes many seconds a contender: the smoke run compiles a layer of the part "more" alone.
COMPILED: dict[str, tuple[str, ...]] = {"full": ("compiled",), "smoke": ()}
FORMATS = {"cuda": ("bfloat16", "tf32"), "cpu": ("bfloat16",)}
# Full layers of other sizes than the base point's, to learn where another algorithm becomes the fastest.
FULL_LAYERS: dict[str, tuple[dict[str, Any], ...]] = {
    "full": (
        {},
        {"channels": 16, "kernel_size": 5},
        {"batch_size": 1},
        {"channels": 8, "resolution": 4, "kernel_size": 5},
        {"channels": 64, "resolution": 16, "batch_size": 16},
    ),
    "smoke": ({},),
}


def layers(device: str, scale: str) -> list[Case]:
    """Return the layers at the base point, eager and graphed."""
    return _in_order(device, scale, BASE[scale], execution=FAST[device], direction=PASSES)


def network(device: str, scale: str) -> list[Case]:
    """Return the paper's network: training steps first, then other formats, inference and compiled code."""
    base = {**BASE[scale], "layer": "resnet", "variant": ("separable", "full", "plain")}
    step, fast = ("training_step",), FAST[device]
    return [
        *_in_order(device, scale, base, direction=step, execution=fast),
        *_in_order(device, scale, base, direction=step, dtype=FORMATS[device], execution=fast[-1:]),
        *_in_order(device, scale, base, direction=("forward",), execution=fast[-1:]),
        *_in_order(device, scale, base, direction=step, execution=COMPILED[scale], dtype=("float32", "bfloat16")),
    ]


def triton(device: str, scale: str) -> list[Case]:
    """Return the cases for which the operators in Triton are compared with PyTorch's."""
    ours, steps = layers(device, scale), network(device, scale)
    graphed = [case for case in steps if case.execution == FAST[device][-1]]
    cases = [*ours[: len(VARIANTS)], *graphed, *ours[len(VARIANTS) :]]
    return [case for case in cases if case.variant != "plain"]


def peers(device: str, scale: str) -> list[Case]:
    """Return our layers and other people's at the base point; of compiled layers, the separable ones."""
    base = {**BASE[scale], "implementation": (OURS, *PEERS)}
    return [
        *_in_order(device, scale, base, variant=("separable", "full", "lifting"), direction=PASSES),
        *_in_order(device, scale, base, variant=("separable",), direction=PASSES[:1], execution=COMPILED[scale]),
    ]


def more(device: str, scale: str) -> list[Case]:
    """Return layers of other batch sizes and |H|, then compiled ones."""
    base, fast = BASE[scale], FAST[device]
    found = [
        case
        for execution in reversed(fast)
        for axis, values in (("batch_size", BATCHES[scale]), ("resolution", RESOLUTIONS[scale]))
        for case in _in_order(device, scale, {**base, axis: values}, execution=(execution,), direction=PASSES)
    ]
    corners = {"batch_size": BATCHES[scale], "resolution": RESOLUTIONS[scale]}
    found += _in_order(device, scale, {**base, **corners}, execution=fast[-1:], direction=PASSES)
    main = ("separable", "full", "plain") if scale == "full" else ("separable",)
    return found + _in_order(device, scale, base, variant=main, execution=("compiled",), direction=PASSES)


def full_layers(device: str, scale: str) -> list[Case]:
    """Return full layers of several sizes: the exact format first, then the others."""
    formats, axes = ("float32", *FORMATS[device]), {"variant": ("full",), "direction": PASSES}
    return [
        case
        for dtype in formats
        for sizes in FULL_LAYERS[scale]
        for case in _in_order(device, scale, {**BASE[scale], **sizes}, dtype=(dtype,), **axes)
    ]


def _in_order(device: str, scale: str, base: dict[str, Any], **axes: tuple[str | int, ...]) -> list[Case]:
    """Return the cases of a grid, block by block: the first of ``axes`` varies slowest, the contenders fastest."""
    given: dict[str, tuple[str | int, ...]] = {
        **axes,
        **{name: value if isinstance(value, tuple) else (value,) for name, value in base.items() if name not in axes},
        "device": (device,),
        "threads": (1 if scale == "smoke" else available_cores(),),
    }
    contended = {"variant": given.pop("variant", VARIANTS), "implementation": given.pop("implementation", (OURS,))}
    return expand({**given, **contended})


CASES = {"layers": layers, "network": network, "triton": triton, "peers": peers, "more": more}
