"""The kinds of values that a field of a record may have. The standard library is enough."""

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union

# No number of ours comes near. Beyond it, products and ratios of numbers leave what a float can hold.
LARGEST = 1e24


@dataclass(frozen=True)
class Kind:
    """The values that a field may have: in words, and as a check."""

    allowed: str
    holds: Callable[[Any], bool]


Shape = Mapping[str, Union[Kind, "Shape"]]
# The name that stands for every field that a shape does not name. A shape without it leaves such fields unchecked: they
# are another version's business.
OTHERS = "*"


def shown(value: object) -> str:
    """A value in a message: on one line, and short, whatever it is."""
    return reprlib.repr(value)


def problem(part: Mapping[str, Any], shape: Shape, place: str = "") -> str | None:
    """Return the first field that is not of its kind, and what is allowed; None where all are. Null is allowed."""
    for name, value in part.items():
        expected, where = shape.get(name, shape.get(OTHERS)), place + name
        if value is None or expected is None:
            continue
        if isinstance(expected, Kind):
            if not expected.holds(value):
                return f"{where} is {shown(value)}; allowed: {expected.allowed}"
        elif not isinstance(value, dict):
            return f"{where} is {shown(value)}; allowed: an object"
        elif found := problem(value, expected, f"{where}."):
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


def _is_finding(value: object) -> bool:
    return isinstance(value, dict) and all(_is_text(value.get(name)) for name in ("kind", "detail", "remedy"))


TEXT = Kind("text", _is_text)
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
NUMBER = Kind("a number", _is_number)
SIZE = Kind("a number of at least 0", _is_size)
DURATION = Kind("a number above 0", _is_duration)
SCALAR = Kind(
    "text, a number, true or false", lambda value: _is_text(value) or isinstance(value, bool) or _is_number(value)
)
SHARE = Kind("a number from 0 to 1", lambda value: _is_size(value) and value <= 1)


INTEGER = Kind("an integer of at least 0", lambda value: type(value) is int and _is_size(value))
DURATIONS = Kind("a list of numbers above 0", _are_durations)
ROUNDS = Kind("a list of lists of numbers above 0", _are(_are_durations))
FINDINGS = Kind("a list of objects with kind, detail and remedy", _are(_is_finding))
SIZES_BY_NAME = Kind("an object of numbers", _are_named(_is_size))
TEXTS_BY_NAME = Kind("an object of texts", _are_named(_is_text))
TEXTS = Kind("a list of texts", _are(_is_text))


def objects(shape: Shape) -> Kind:
    """Return the kind of a list of objects of one shape."""
    return Kind(
        "a list of objects, numbers by name",
        _are(lambda value: isinstance(value, dict) and problem(value, shape) is None),
    )
