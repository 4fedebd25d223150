"""The kinds of values that a field of a record may have. This module needs only the standard library."""

import reprlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Union

# No measured number comes near this limit. Beyond it, products and ratios of numbers leave the range of a float.
LARGEST = 1e24


@dataclass(frozen=True)
class Kind:
    """The values that a field may have, in words and as a check."""

    allowed: str
    holds: Callable[[Any], bool]


Shape = Mapping[str, Union[Kind, "Shape"]]
# The name that stands for every field that a shape does not name. A shape without it leaves such fields unchecked, as
# another version of the benchmarks may have declared them.
OTHERS = "*"


def shown(value: object) -> str:
    """Return a value as a short text on one line, for a message."""
    return reprlib.repr(value)


def problem(part: Mapping[str, Any], shape: Shape, place: str = "") -> str | None:
    """Return a message about the first value that is not of its kind; None if there is none. Null is always allowed."""
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


def undeclared(part: Mapping[str, Any], shape: Shape, place: str = "") -> Iterator[str]:
    """Yield the name of each value that a shape does not have; null and an empty list are none.

    >>> list(undeclared({"seconds": {"median": 1.0, "guess": 2.0}, "note": None}, {"seconds": {"median": NUMBER}}))
    ['seconds.guess']
    """
    for name, value in part.items():
        expected = shape.get(name, shape.get(OTHERS))
        if expected is None and value is not None and value != []:
            yield place + name
        elif isinstance(value, dict) and expected is not None and not isinstance(expected, Kind):
            yield from undeclared(value, expected, f"{place}{name}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def _are_durations(values: object) -> bool:
    """Return whether all values are numbers above 0, checked together because a record has a thousand of them."""
    if not isinstance(values, list) or not set(map(type, values)) <= {int, float}:
        return False
    return not values or (min(values) > 0 and max(values) < LARGEST and sum(values) == sum(values))


def _list_of(what: str, holds: Callable[[Any], bool]) -> Kind:
    return Kind(f"a list of {what}", lambda values: isinstance(values, list) and all(map(holds, values)))


def _is_finding(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name), str) for name in ("kind", "detail", "remedy"))


TEXT = Kind("text", lambda value: isinstance(value, str))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
NUMBER = Kind("a number", _is_number)
SIZE = Kind("a number of at least 0", lambda value: _is_number(value) and value >= 0)
DURATION = Kind("a number above 0", lambda value: _is_number(value) and value > 0)
SHARE = Kind("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1)
INTEGER = Kind("an integer of at least 0", lambda value: type(value) is int and 0 <= value < LARGEST)
SCALAR = Kind("text, a number, true or false", lambda value: isinstance(value, str | bool) or _is_number(value))
DURATIONS = Kind("a list of numbers above 0", _are_durations)
LISTS_OF_DURATIONS = _list_of("lists of numbers above 0", _are_durations)
FINDINGS = _list_of("objects with kind, detail and remedy", _is_finding)
TEXTS = _list_of("texts", TEXT.holds)


def by_name(kind: Kind) -> Kind:
    """Return the kind of an object with values of one kind."""

    def holds(values: Any) -> bool:
        return isinstance(values, dict) and all(map(kind.holds, values.values()))

    return Kind(f"an object of values, each {kind.allowed}", holds)


def objects(shape: Shape) -> Kind:
    """Return the kind of a list of objects of one shape."""
    return _list_of("objects", lambda item: isinstance(item, dict) and problem(item, shape) is None)
