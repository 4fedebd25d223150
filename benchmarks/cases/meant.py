"""The message about a name that is not allowed, with the allowed name that was probably meant."""

import difflib
import re
from collections.abc import Iterable, Mapping

# How much alike a wrong and a right name must be, from 0 to 1: names, and short formulas such as "se2".
CUTOFF, CUTOFF_OF_FORMULAS = 0.75, 0.6
OBJECT = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")


def meant(value: object, names: Mapping[str, str] | Iterable[str]) -> str:
    """Return the name that is most like a wrong one, without regard to case; empty if none is like it.

    Args:
        names: the names; or formulas in lower case, each with the name that it stands for.

    >>> meant("seperable", ["plain", "separable"]), meant("SE(3)", {"se2": "SO2"}), meant("dense", ["plain", "full"])
    ('separable', 'SO2', '')
    """
    known = names if isinstance(names, Mapping) else {name.casefold(): name for name in names}
    bare = str(value).casefold().translate({ord(sign): None for sign in "() "})
    cutoff = CUTOFF_OF_FORMULAS if isinstance(names, Mapping) else CUTOFF
    near = difflib.get_close_matches(bare, known, n=1, cutoff=cutoff)
    return known[near[0]] if near else ""


def meant_object(value: str) -> str:
    """Return the name "package.module:object" that a path of a file, or a name with dots alone, probably means.

    The name is empty if there is none, or if the value has this form already. If Python can import the file in its own
    folder alone, the folder is named, too.

    >>> meant_object("./mine/layers.py:Conv"), meant_object("mine.layers.Conv"), meant_object("mine:Conv")
    ('mine.layers:Conv', 'mine.layers:Conv', '')
    >>> meant_object("/tmp/x/mine.py:Conv"), meant_object("../x/mine.py:Conv"), meant_object("mine.py")
    ('mine:Conv after cd /tmp/x', 'mine:Conv after cd ../x', '')
    """
    path, _, name = value.removesuffix(".py").rpartition(":" if ":" in value else ".")
    path = path.removeprefix("./").removesuffix(".py")
    folder, _, file = path.rpartition("/")
    for found, place in ((f"{path.replace('/', '.')}:{name}", ""), (f"{file}:{name}", f" after cd {folder or '/'}")):
        if OBJECT.fullmatch(found) and found != value:
            return found + place
    return ""


def unknown(kind: str, value: object, allowed: Iterable[str], names: Mapping[str, str] | None = None) -> str:
    """Return the message that a value is none of the allowed names; ``names`` are formulas, see ``meant``.

    >>> unknown("kind", "seperable", ["plain", "separable"])
    "unknown kind 'seperable'; did you mean separable? allowed: plain, separable"
    """
    return f"unknown {kind} {value!r}; {remedy(value, allowed, names)}"


def remedy(value: object, allowed: Iterable[str], names: Mapping[str, str] | None = None) -> str:
    """Return the end of such a message: the name that was probably meant, and all allowed names."""
    allowed = tuple(allowed)
    near = meant(value, allowed if names is None else names)
    if not near and any(name.startswith("package.module:") for name in allowed):
        near = meant_object(str(value))
    return f"{f'did you mean {near}? ' if near else ''}allowed: {', '.join(allowed)}"


def check_fraction(value: float, name: str) -> None:
    """Raise ``ValueError`` unless a value is a fraction above 0, up to 1; a percentage gets the fraction it means.

    >>> check_fraction(95.0, "target")
    Traceback (most recent call last):
    ValueError: target 95.0 is not allowed; did you mean 0.95? allowed: fractions above 0, up to 1
    """
    if not 0 < value <= 1:
        near = f"did you mean {value / 100:g}? " if 1 < value <= 100 else ""
        raise ValueError(f"{name} {value} is not allowed; {near}allowed: fractions above 0, up to 1")
