"""Checks that every value that a user asked for is measured: what goes with nothing is refused, not left out."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.cases.case import InvalidCase, InvalidGrid
from benchmarks.cases.groups import TRIVIAL

# The axes that plain convolutions do not have. A plain case must not stand for a group that has no case.
GROUP_AXES = ("group", "resolution", "scales")
Reasons = Sequence[tuple[Mapping[str, Any], InvalidCase]]


class LeftOut(UserWarning):
    """Some combinations of the values that a user asked for do not exist; the others are measured."""


def check_asked(asked: Mapping[str, Iterable[str | int]], cases: Sequence[Any], reasons: Reasons) -> None:
    """Check that each value is in a case; a value on one of ``GROUP_AXES`` in a case with a group, if there is one.

    Args:
        asked: by axis, the values that the user gave.
        cases: the cases, or the training runs, that the values leave.
        reasons: the combinations that were left out, by axis, and why.

    Raises:
        InvalidCase: for a value that is in no case; the message says what exists.

    Warns:
        LeftOut: for each group and |H| that do not go together, where both are in other cases.
    """
    with_group = [case for case in cases if case.group != TRIVIAL] or cases
    for axis, values in asked.items():
        for value in values:
            among = with_group if axis in GROUP_AXES and value != TRIVIAL else cases
            if not any(getattr(case, axis) == value for case in among):
                raise InvalidCase(f"no case is left for {axis} {value!r}: {_why(axis, value, among, reasons)}")
    if asked.keys() & set(GROUP_AXES):
        for reason in dict.fromkeys(str(reason) for _, reason in reasons if isinstance(reason, InvalidGrid)):
            warnings.warn(f"left out: {reason}", LeftOut, stacklevel=2)


def _why(axis: str, value: str | int, cases: Sequence[Any], reasons: Reasons) -> str:
    """Return why a value is in no case, with the nearest values that are."""
    found = [reason for fields, reason in reasons if fields.get(axis) == value]
    of_grids = [reason for reason in found if isinstance(reason, InvalidGrid)]
    if found:
        return str((of_grids or found)[0])
    others = sorted({getattr(case, axis) for case in cases}, key=str)
    return f"the other values do not go with it; allowed with them: {', '.join(map(str, others)) or 'nothing'}"
