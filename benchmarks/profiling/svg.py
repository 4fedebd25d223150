"""What the figures of a profile share: an SVG with a heading, which needs no script and no network."""

from collections.abc import Iterable
from html import escape

WIDTH = 1400


def svg(label: str, subtitle: str, height: int, elements: Iterable[str], title: str = "") -> str:
    """Return a figure of ``WIDTH`` × ``height``; a narrower window shows all of it, smaller.

    Args:
        label, subtitle: the two lines of the heading, plain text.
        elements: the drawing, SVG.
        title: the title of the document, if not the label.
    """
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'style="max-width: 100%; height: auto" '
        'font-family="Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="11">',
        f"<title>{escape(title or label)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="15" font-weight="bold">{escape(label)}</text>',
        f'<text x="12" y="44">{escape(subtitle)}</text>',
        *elements,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
