"""Tables of text in aligned columns, or in Markdown."""

import re
from collections.abc import Sequence

MARKUP = re.compile(r"[\\|*`<>&@]|(?<=\])\(")


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out rows of text in columns: the first one flush left, the others right.

    >>> columns([("", "n"), ("plain", "12")])
    ['        n', 'plain  12']
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def left_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out rows of text in columns, all flush left.

    >>> left_columns([("B is", "case"), ("slower", "full")])
    ['B is    case', 'slower  full']
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows as a table in GitHub's Markdown; the first row is the heading.

    >>> markdown_table([("case",), ("a|b",)])
    ['| case |', '| --- |', '| a&#124;b |']
    """
    heading, *body = ("| " + " | ".join(map(markdown, row)) + " |" for row in rows)
    return [heading, "| " + " | ".join(["---"] * len(rows[0])) + " |", *body]


def markdown(text: str) -> str:
    """Escape a text so that Markdown shows it unchanged, on one line, without links or mentions of @name."""
    line = " ".join(text.split())
    return MARKUP.sub(lambda match: f"&#{ord(match[0])};", line)
