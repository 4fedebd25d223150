"""Numbers and intervals as text: no nan, no infinity, no endless digits, and no interval where n is too small."""

import math
import re
from collections.abc import Sequence

# An interval over fewer rounds or seeds than this says nothing: with two of them, a 99 % interval of a ratio easily
# reaches from 0 to 10²².
FEWEST = 3
TOO_FEW = "n too small for an interval"
NOTHING = "–"
# Longer numbers are written with an exponent.
MOST_DIGITS = 9
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


def number(value: float, form: str) -> str:
    """Return a number in a format such as ".2f".

    >>> number(1.234, ".2f"), number(3.9e22, ".2f"), number(float("nan"), ".2f")
    ('1.23', '3.90e+22', '–')
    """
    if not math.isfinite(value):
        return NOTHING
    text = f"{value:{form}}"
    return text if sum(map(str.isdigit, text)) <= MOST_DIGITS else f"{value:.2e}"


def interval(low: float, high: float, form: str, n: int | None = None) -> str:
    """Return an interval of an estimate over ``n`` rounds or seeds; None means that n is large enough.

    >>> interval(0.5, 2, ".2f"), interval(0, float("inf"), ".2f"), interval(0.0, 1.0, ".1f", n=2)
    ('[0.50, 2.00]', '(n too small for an interval)', '(n too small for an interval)')
    """
    if (n is not None and n < FEWEST) or not math.isfinite(high - low):
        return f"({TOO_FEW})"
    return f"[{number(low, form)}, {number(high, form)}]"


def percentage(fraction: float, decimals: int = 1) -> str:
    """Return a fraction in percent.

    >>> percentage(0.031), percentage(1e9), percentage(float("nan"))
    ('3.1%', 'over 1000%', '–')
    """
    if math.isnan(fraction):
        return NOTHING
    return "over 1000%" if fraction > 10 else f"{number(100 * fraction, f'.{decimals}f')}%"


def listing(parts: Sequence[str]) -> str:
    """Join words to a list: "a", "a and b", "a, b and c"; by semicolons where a word has a comma outside of brackets.

    >>> listing(["plain, C = 8", "full, C = 4"]), listing(["1 [0, 2]", "3 (4, 5)", "6"])
    ('plain, C = 8; and full, C = 4', '1 [0, 2], 3 (4, 5) and 6')
    """
    between = ";" if any("," in _BRACKETS.sub("", part) for part in parts) else ","
    if len(parts) < 2:
        return "".join(parts)
    return f"{f'{between} '.join(parts[:-1])}{between.removesuffix(',')} and {parts[-1]}"


def plural(number: float, noun: str, ending: str = "s") -> str:
    """Return a whole number with its noun, which has an ending where the number is not 1.

    >>> plural(1, "pair"), plural(2, "pair"), plural(2, "pass", "es")
    ('1 pair', '2 pairs', '2 passes')
    """
    return f"{number:.0f} {noun}{'' if number == 1 else ending}"


def some_of(parts: Sequence[str], most: int) -> str:
    """Join the first words of a list, ``most`` at most, and count the others.

    >>> some_of(["a", "b", "c", "d"], 2), some_of(["a", "b"], 2)
    ('a, b, and 2 more', 'a, b')
    """
    more = [f"and {len(parts) - most} more"] if len(parts) > most else []
    return ", ".join([*parts[:most], *more])
