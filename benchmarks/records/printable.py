"""Makes text from elsewhere (messages, names in files) safe for a page, a terminal or an SVG."""

import re

# Control characters and other characters that a page, a terminal or an SVG cannot show, or that reorder a line.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
LONGEST_TEXT = 2000


def printable(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return a text without unprintable characters, cut to ``longest`` characters."""
    if len(text) > longest:
        text = f"{text[:longest]}…" + (f" ({len(text):,} characters)" if longest == LONGEST_TEXT else "")
    return UNPRINTABLE.sub("\ufffd", text)
