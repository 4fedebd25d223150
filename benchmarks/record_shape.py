"""What stands where in a record. Readers trust the types of what they are handed, because this was asked first.

A field that is absent or null was not measured, one that is not named here is mostly another version's business. The
standard library is enough.
"""

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union

# No number of ours comes near. Beyond it, products and ratios of numbers leave what a float can hold.
LARGEST = 1e24


@dataclass(frozen=True)
class Field:
    """Something that is no object: in words what it may be, and whether a value is that."""

    allowed: str
    holds: Callable[[Any], bool]


Shape = Mapping[str, Union[Field, "Shape"]]
# Of a shape: what every field must be that it does not name. Without it, that is another version's business.
OTHERS = ""


def problem(record: Mapping[str, Any]) -> str | None:
    """The first field of a record that is not what it must be, and what is allowed; None for a good one."""
    return _problem(record, SHAPES[record["kind"]], "")


def shown(value: object) -> str:
    """A value in a message: on one line, and short, whatever it is."""
    return reprlib.repr(value)


def _problem(part: Mapping[str, Any], shape: Shape, place: str) -> str | None:
    for name, value in part.items():
        expected, where = shape.get(name, shape.get(OTHERS)), place + name
        if value is None or expected is None:
            continue
        if isinstance(expected, Field):
            if not expected.holds(value):
                return f"{where} is {shown(value)}; allowed: {expected.allowed}"
        elif not isinstance(value, dict):
            return f"{where} is {shown(value)}; allowed: an object"
        elif found := _problem(value, expected, f"{where}."):
            return found
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def _is_size(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LARGEST


def _is_duration(value: object) -> bool:
    return _is_size(value) and value != 0


def _are_durations(values: object) -> bool:
    """Quickly: there are a thousand of them in a record."""
    if not isinstance(values, list) or not set(map(type, values)) <= {int, float}:
        return False
    return not values or (min(values) > 0 and max(values) < LARGEST and sum(values) == sum(values))


def _are(one: Callable[[Any], bool]) -> Callable[[object], bool]:
    return lambda values: isinstance(values, list) and all(map(one, values))


def _are_named(one: Callable[[Any], bool]) -> Callable[[object], bool]:
    return lambda values: isinstance(values, dict) and all(map(one, values.values()))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _has(shape: Shape) -> Callable[[object], bool]:
    return lambda value: isinstance(value, dict) and _problem(value, shape, "") is None


def _is_finding(value: object) -> bool:
    return isinstance(value, dict) and all(_is_text(value.get(name)) for name in ("kind", "detail", "remedy"))


TEXT = Field("text", _is_text)
FLAG = Field("true or false", lambda value: isinstance(value, bool))
NUMBER = Field("a number", _is_number)
SIZE = Field("a number of at least 0", _is_size)
DURATION = Field("a number above 0", _is_duration)
SCALAR = Field(
    "text, a number, true or false", lambda value: _is_text(value) or isinstance(value, bool) or _is_number(value)
)
SHARE = Field("a number from 0 to 1", lambda value: _is_size(value) and value <= 1)


def _each(names: str, field: Field) -> dict[str, Field]:
    return dict.fromkeys(names.split(), field)


SIZES = _each("resolution channels batch_size image_size kernel_size threads", DURATION)
CASE: Shape = {
    **_each("layer implementation variant group direction kernels execution device dtype", TEXT),
    **SIZES,
    "scales": DURATION,
    OTHERS: SCALAR,
}
RUN: Shape = {
    **_each("device recipe dtype", TEXT),
    **SIZES,
    **_each("epochs budget learning_rate weight_decay", SIZE),
    **_each("dataset network variant group budget_unit matched", TEXT),
    "seed": Field("an integer of at least 0", lambda value: type(value) is int and _is_size(value)),
    OTHERS: SCALAR,
}
SECONDS: Shape = {
    "rounds": Field("a list of lists of numbers above 0", _are(_are_durations)),
    "samples": Field("a list of numbers above 0", _are_durations),
    **_each("median q1 q3 ci_low ci_high", DURATION),
    "n": SIZE,
    "outliers": _each("mild far", SIZE),
    "stopped": TEXT,
}
PROVENANCE: Shape = {
    **_each("measured_at commit python torch gcnn_impl fvcore platform cpu gpu device_name", TEXT),
    **_each("cores threads", DURATION),
    **_each("load_before load_after", SIZE),
    "dirty": FLAG,
}
COMMON: Shape = {"message": TEXT, "provenance": PROVENANCE}
COST: Shape = {
    **COMMON,
    "case": CASE,
    "block": TEXT,
    "seconds": SECONDS,
    "noise": {
        "verdict": TEXT,
        "findings": Field("a list of objects with kind, detail and remedy", _are(_is_finding)),
    },
    "memory": {
        "method": TEXT,
        **_each("peak_bytes reserved_bytes predicted_bytes", SIZE),
        # What was there before and is released in the pass makes room.
        **_each("parameters_bytes kernels_bytes activations_bytes workspace_bytes", NUMBER),
    },
    "parameters": SIZE,
    "macs": {
        **_each("kernel_generation convolution backward", SIZE),
        "unsupported": Field("an object of numbers", _are_named(_is_size)),
        "zero_counted_time_share": SIZE,
    },
    "stages": {
        **_each("kernel_generation group_mixing spatial_convolution other forward backward optimiser", SIZE),
        "kernel_generation_share": SIZE,
    },
    "roofline": _each("arithmetic_intensity macs_per_second matrix_ceiling memory_ceiling fraction", SIZE),
    "energy": {"joules_per_sample": SIZE, "reason": TEXT},
    "compile_seconds": SIZE,
    "device_seconds": {**_each("median q1 q3 ci_low ci_high", DURATION), "n": SIZE},
    "missing": Field("an object of texts", _are_named(_is_text)),
    "equivariance_error": SIZE,
}
TWIN: Shape = {**COMMON, "case_id": TEXT, "block": TEXT, "seconds": SECONDS}
EPOCH: Shape = {**_each("epoch seconds macs", SIZE), "train_loss": NUMBER, "validation_accuracy": SHARE}
TRAINING: Shape = {
    **COMMON,
    "run": RUN,
    "parameters": SIZE,
    "macs_per_image": _each("kernel_generation_per_step convolution", SIZE),
    "data": {**_each("train validation test", SIZE), "source": TEXT},
    "epochs": Field("a list of objects, numbers by name", _are(_has(EPOCH))),
    "best_epoch": SIZE,
    "test_accuracy": SHARE,
}
SHAPES: Mapping[str, Shape] = {"cost": COST, "twin": TWIN, "training": TRAINING}
