"""Tables of text."""

from collections.abc import Sequence


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
