"""Makes text from elsewhere (messages, names in files) safe for a page, a terminal or an SVG."""

import codecs
import contextlib
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

# Control characters and other characters that a page, a terminal or an SVG cannot show, or that reorder a line.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
LONGEST_TEXT = 2000
# What is printed for some of our characters where the output's encoding lacks them; for others it is "?".
LIKENESSES = str.maketrans({"×": "x", "–": "-", "−": "-", "…": "...", "²": "2", "∞": "inf", "μ": "u", "≥": ">="})
LIKENESS = "gcnn-likeness"


@lru_cache(maxsize=4096)  # records repeat their texts
def printable(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text without unprintable characters, cut to ``longest`` characters."""
    if len(text) > longest:
        text = f"{text[:longest]}…" + (f" ({len(text):,} characters)" if longest == LONGEST_TEXT else "")
    return UNPRINTABLE.sub("\ufffd", text)


def escaped(text: str) -> str:
    r"""Return a text with unprintable characters written as in Python's source, for records and terminals.

    >>> print(escaped("\x1b[31mred"))
    \x1b[31mred
    """
    return UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode("ascii"), text)


def escaped_texts(value: Any) -> Any:
    """Return a value of JSON types in which all texts are ``escaped``, keys included."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {escaped_texts(key): escaped_texts(each) for key, each in value.items()}
    return [escaped_texts(each) for each in value] if isinstance(value, list | tuple) else value


def print_anything() -> None:
    """Let ``print`` replace characters that the output's encoding lacks, instead of raising an exception."""
    codecs.register_error(LIKENESS, _likeness)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # tests and notebooks replace the streams
            stream.reconfigure(errors=LIKENESS)


@contextlib.contextmanager
def warnings_in_one_line(always: type[Warning]) -> Iterator[None]:
    """Print warnings as lines on stderr, without the place in the code, and each of one kind whenever it is given."""

    def show(message: Warning | str, *_: object, **__: object) -> None:
        print(f"warning: {escaped(str(message))}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.simplefilter("always", always)
        warnings.showwarning = show
        yield


def _likeness(error: UnicodeError) -> tuple[str, int]:
    """Return the replacement for characters that cannot be encoded, and the place after them."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(LIKENESSES)
    return text.encode(error.encoding, "replace").decode(error.encoding), error.end
