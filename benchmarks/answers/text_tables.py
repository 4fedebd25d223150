"""Tables of text, and texts of others in them."""

import re
from collections.abc import Sequence

MARKUP = re.compile(r"[\\|*`<>&@]|(?<=\])\(")


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of equally many cells as lines: the first cell flush left, the others right.

    >>> columns([("", "n"), ("plain", "12")])
    ['        n', 'plain  12']
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]  # of a column
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def left_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """The same with every cell flush left, for cells that are words.

    >>> left_columns([("B is", "case"), ("slower", "full")])
    ['B is    case', 'slower  full']
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as a table of GitHub's Markdown, the first one its heading.

    >>> markdown_table([("case",), ("a|b",)])
    ['| case |', '| --- |', '| a&#124;b |']
    """
    heading, *body = ("| " + " | ".join(map(markdown, row)) + " |" for row in rows)
    return [heading, "| " + " | ".join(["---"] * len(rows[0])) + " |", *body]


def markdown(text: str) -> str:
    """Text that Markdown shows as it is, on one line: no mark-up, no link, nobody is called by @name."""
    line = " ".join(text.split())
    return MARKUP.sub(lambda match: f"&#{ord(match[0])};", line)
