"""Writes and reads the names that asv and pytest-benchmark give to the points of the suites; needs no torch."""

import re
from ast import literal_eval
from collections.abc import Mapping
from typing import Any

from benchmarks.cases.case import Case

# asv names a point by its values on these axes; pytest-benchmark names it in one word.
SUITE_AXES = ("device", "variant", "resolution", "channels", "batch_size")
ASV_LAYERS, ASV_TRAINING = "suites.bench_layers", "suites.bench_training"
ASV_PASSES = {"Forward": "forward", "ForwardBackward": "forward_backward", "TrainingStep": "training_step"}
WORD = re.compile(
    r"test_pass\[(?P<layer>[^-\]]+)-(?P<variant>[^-\]]+)-H(?P<resolution>\d+)-C(?P<channels>\d+)-B(?P<batch_size>\d+)"
    r"-(?P<direction>[^-\]]+)-(?P<device>[^-\]]+)\]$"
)


def pytest_name(case: Case) -> str:
    """Return the name of a case in the pytest-benchmark suite."""
    shape = f"H{case.resolution}-C{case.channels}-B{case.batch_size}"
    return f"{case.layer}-{case.variant}-{shape}-{case.direction}-{case.device}"


def asv_name(case: Case) -> str:
    """Return the name of a layer's time in the asv suite."""
    benchmark = next(name for name, direction in ASV_PASSES.items() if direction == case.direction)
    point = ", ".join(repr(getattr(case, axis)) for axis in SUITE_AXES)
    return f"{ASV_LAYERS}.{benchmark}.time_pass({point})"


def point_of(name: str) -> Mapping[str, Any]:
    """Return the quantity in a benchmark's name, and the axes of its point that can be read from the name.

    >>> point_of("suites.bench_layers.Forward.time_pass('cpu', 'full', 8)")["resolution"]
    8
    """
    if word := WORD.search(name):
        return {"quantity": "time", **word.groupdict()}
    function, _, arguments = name.partition("(")
    *module, benchmark, method = ["", "", *function.split(".")]
    quantity = "time" if method in ("time_pass", "time_step") else method.removeprefix("track_")
    # Before version 3 of the suites, their modules were not in a package, so only the last part is compared.
    layer = {"bench_layers": "conv", "bench_training": "resnet"}.get(module[-1], "")
    found = {"quantity": quantity, "layer": layer, "direction": ASV_PASSES.get(benchmark, "")}
    try:
        values = literal_eval(f"({arguments.removesuffix(')')},)") if arguments else ()
    except (SyntaxError, ValueError):
        return found
    return {**found, **dict(zip(SUITE_AXES, values, strict=False))} if layer else found


def is_control(name: str) -> bool:
    """Return whether a benchmark times torch's own convolution, which no commit changes."""
    point = point_of(name)
    return (point["quantity"], point.get("layer"), point.get("variant")) == ("time", "conv", "plain")


def kind_of(name: str) -> str:
    """Return the kind of a benchmark: its quantity, layer, variant and pass, and the device if it is not the CPU.

    >>> kind_of("suites.bench_layers.Forward.time_pass('cpu', 'full', 8, 16, 1)")
    'time of conv full forward'
    """
    point = point_of(name)
    device = point.get("device", "cpu")
    words = [point.get("layer"), point.get("variant"), point.get("direction"), "" if device == "cpu" else device]
    what = " ".join(str(word) for word in words if word)
    return f"{point['quantity']} of {what}" if what else str(point["quantity"])
