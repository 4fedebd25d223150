"""Text from elsewhere (messages, names in files) made fit for a page, a terminal or an SVG."""

import re

# What no page, terminal or SVG should be handed, and what makes a line read otherwise than it is written.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
LONGEST_TEXT = 2000


def printable(text: str, longest: int = LONGEST_TEXT) -> str:
    """What of a text can be shown: no control characters, and not ten megabytes."""
    if len(text) > longest:
        text = f"{text[:longest]}…" + (f" ({len(text):,} characters)" if longest == LONGEST_TEXT else "")
    return UNPRINTABLE.sub("\ufffd", text)
