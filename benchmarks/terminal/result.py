"""What a command found, for people and for programs."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """The result of a command.

    Args:
        value: the result for programs; ``strict`` says which types it may have. An empty value is not printed: another
            process of the same command has the result.
        lines: the same for people.
        status: the exit status.
        errors: what is wrong, for people, where that is the result.
    """

    value: Mapping[str, Any]
    lines: Sequence[str] = ()
    status: int = 0
    errors: Sequence[str] = ()

    def json(self) -> str:
        """Return the value as strict JSON on one line."""
        return json.dumps(strict(self.value), allow_nan=False)


def strict(value: Any) -> Any:
    """Return a value in the types of JSON: dataclasses become objects; numbers that JSON lacks (∞, NaN) become null.

    >>> strict({"median": math.inf, "axes": ("ms",), "page": Path("report.html")})
    {'median': None, 'axes': ['ms'], 'page': 'report.html'}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: strict(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): strict(each) for key, each in value.items()}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Sequence | Set):
        return [strict(each) for each in value]
    number = float(value)
    return number if math.isfinite(number) else None
