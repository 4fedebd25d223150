"""A matplotlib figure → an `<svg>` element, of which one HTML page may hold many.

The element has no style sheet and no style attribute, so that the page can forbid both.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import matplotlib.pyplot as plt
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from reports.style import THEME

NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}
NO_PDF_METADATA = {"Creator": None, "Producer": None, "CreationDate": None}
SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
# Numbers are rounded to a hundredth of a point, which is finer than any screen.
LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
# Points that follow a move or a line without a letter are lines, too.
POLYLINE = re.compile(r"[ML][^A-Za-z]+(?:L[^A-Za-z]+)+")
# A space separates two numbers; a letter or a minus needs none beside it.
NEEDLESS_SPACE = re.compile(r"(?<![\d.]) | (?![\d.])")
FONT = re.compile(r"(?:(bold|italic|\d{3}) )*([\d.]+px) .*")


@dataclass(frozen=True)
class Copy:
    """A panel as a file of its own: SVG with its own colours and fonts, and PDF."""

    key: str
    svg: str
    pdf: bytes


_kept: ContextVar[list[Copy] | None] = ContextVar("kept", default=None)


@contextmanager
def copies() -> Iterator[list[Copy]]:
    """Collect a copy of every panel that is drawn inside the `with` block, as files for papers."""
    kept: list[Copy] = []
    token = _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.reset(token)


def frame(axes: Axes) -> dict[str, str]:
    """Return where the axes are in the drawing, in points, and the values at their ends, as attributes for a script."""
    figure = axes.figure.get_figure(root=True)
    figure.draw_without_rendering()
    box, height, points = axes.get_window_extent(), figure.get_figheight() * 72, 72 / figure.dpi
    left, right, top, bottom = box.x0 * points, box.x1 * points, height - box.y1 * points, height - box.y0 * points
    numbers = {"frame": (left, top, right, bottom), "across": axes.get_xlim(), "up": axes.get_ylim()}
    return {f"data-{name}": " ".join(f"{float(number):.6g}" for number in found) for name, found in numbers.items()}


def inline(
    figure: Figure,
    key: str,
    title: str,
    description: str,
    tips: Mapping[str, Sequence[str]] | None = None,
    named: Mapping[str, Mapping[str, str]] | None = None,
    about: Mapping[str, str] | None = None,
) -> Markup:
    """Return the figure as an accessible `<svg>`: themed by CSS variables, scalable, its ids unique through `key`.

    Closes the figure. `key` consists of letters, digits and hyphens; `title` and `description` may hold anything.

    Args:
        tips: the texts of the points of an artist, in drawing order, by the artist's gid.
        named: attributes of drawn elements, by gid.
        about: attributes of the whole drawing.
    """
    buffer = io.StringIO()
    FigureCanvasSVG(figure).print_svg(buffer, metadata=NO_METADATA)  # `savefig` would draw twice, for the layout
    kept = _kept.get()
    if kept is not None:
        pdf = io.BytesIO()
        figure.savefig(pdf, format="pdf", metadata=NO_PDF_METADATA)
        kept.append(Copy(key, buffer.getvalue(), pdf.getvalue()))
    plt.close(figure)
    root = ElementTree.fromstring(buffer.getvalue())
    _add_tips(root, tips or {})
    for element in root.iter():
        element.attrib.update((named or {}).get(element.get("id", ""), {}))
    _name(root, key)
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)  # HTML knows the element without its namespace
        _restyle(element)
    box = root.get("viewBox")
    if box is None:  # matplotlib always writes a viewBox; without one, a figure cannot be scaled
        raise ValueError("the figure has no viewBox")
    root.attrib = {
        "viewBox": box,
        "role": "img",
        "aria-labelledby": f"{key}-title {key}-description",
        "stroke-linejoin": "round",
        **(about or {}),
    }
    for number, (tag, text) in enumerate({"title": title, "desc": description}.items()):
        label = Element(tag, id=f"{key}-{'title' if tag == 'title' else 'description'}")
        label.text = text
        root.insert(number, label)
    return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=False))


def _add_tips(root: Element, tips: Mapping[str, Sequence[str]]) -> None:
    """Give every point of the named artists a `<title>`, which browsers show at the pointer."""
    groups = {element.get("id"): element for element in root.iter(f"{SVG}g")}
    for gid, texts in tips.items():
        points = list(_points(groups[gid]))
        if len(points) != len(texts):  # if a point had two elements, all later texts would shift
            raise ValueError(f"{len(points)} points of {gid} have {len(texts)} tips")
        for point, text in zip(points, texts, strict=True):
            label = ElementTree.SubElement(point, f"{SVG}title")
            label.text = text
            point.set("class", "tip")


def _points(group: Element) -> Iterator[Element]:
    for child in group:
        if child.tag in (f"{SVG}use", f"{SVG}path"):
            yield child
        elif child.tag != f"{SVG}defs":
            yield from _points(child)


def _name(root: Element, key: str) -> None:
    """Make the ids that are referred to unique by `key`; drop all other ids, style sheets and metadata."""
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{SVG}style", f"{SVG}metadata"):
                parent.remove(child)
    used = set(re.findall(r'(?:href="|url\()#([\w-]+)', ElementTree.tostring(root, encoding="unicode")))
    for element in root.iter():
        name = element.attrib.pop("id", "")
        if name in used:
            element.set("id", f"{key}-{name}")
        link = element.attrib.pop(f"{XLINK}href", "")
        if link:
            element.set("href", link.replace("#", f"#{key}-", 1))
        clip = element.get("clip-path", "")
        if clip:
            element.set("clip-path", clip.replace("#", f"#{key}-", 1))


def _restyle(element: Element) -> None:
    """Turn the style attribute into single attributes and colours into variables of the page; shorten long numbers."""
    for declaration in element.attrib.pop("style", "").split("; "):
        name, _, value = declaration.partition(": ")
        if name == "font" and (font := FONT.fullmatch(value)):
            element.set("font-size", font[2])
            if font[1]:
                element.set("font-weight", font[1])
        elif name and name != "font-family":  # the page sets the family
            element.set(name, THEME.get(value, value))
    for name in ("d", "x", "y", "transform", "width", "height"):
        text = element.get(name)
        if text:
            element.set(name, LONG_NUMBER.sub(_rounded, text.replace("\n", "")))
    if path := element.get("d"):
        element.set("d", _short_path(path))
    if element.text and not element.text.strip():
        element.text = None
    if element.tail and not element.tail.strip():
        element.tail = None


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _short_path(path: str) -> str:
    """Return the same path with fewer letters and spaces.

    >>> _short_path("M 1 2  L 3 -4  L 5 6  C 1 1 2 2 3 3  L 7 8  z ")
    'M1 2 3-4 5 6C1 1 2 2 3 3L7 8z'
    """
    path = POLYLINE.sub(lambda run: run[0][0] + run[0][1:].replace("L", " "), path)
    return NEEDLESS_SPACE.sub("", " ".join(path.split()))
