"""The verdict on a change of a time, and the exit status of a whole comparison. This module needs no other package.

A verdict answers one question: did the time grow by the size asked about, or more? The words of
``statistics.comparison`` describe the change itself.
"""

from collections.abc import Iterable

FINE, REGRESSED, UNDECIDED, NOT_COMPARED = "fine", "regressed", "undecided", "could not compare"
STATUS = {FINE: 0, REGRESSED: 1, NOT_COMPARED: 2, UNDECIDED: 3}
# The size asked about where the user gives none, as a fraction.
AT_LEAST = 0.05


def verdict_of(low: float, high: float, at_least: float, moved: float = 1.0) -> str:
    """Return the verdict on a ratio of times that lies between ``low`` and ``high``.

    Args:
        low, high: bounds of the interval of the new time divided by the old time.
        at_least: the size asked about, as a fraction: 0.05 is 5 %.
        moved: the factor, at least 1, by which unchanged code became slower or faster meanwhile. The change of the code
            itself may then be smaller or greater by this factor.

    Returns:
        "fine" if the code became slower by less than the size; "regressed" if it became slower, and the slowdown may
        be as great as the size; otherwise "undecided".

    >>> verdict_of(1.02, 1.07, 0.05), verdict_of(1.01, 1.04, 0.05), verdict_of(0.99, 1.07, 0.05)
    ('regressed', 'fine', 'undecided')
    """
    if high * moved < 1 + at_least:
        return FINE
    return REGRESSED if low / moved > 1 else UNDECIDED


def gravest(verdicts: Iterable[str]) -> str:
    """Return the verdict on a whole run: of one regressed case, else of one undecided case, else "fine".

    Cases that could not be compared count only if nothing else was compared.
    """
    found = set(verdicts)
    return next((verdict for verdict in (REGRESSED, UNDECIDED, FINE) if verdict in found), NOT_COMPARED)
