"""One look for every variant, in every figure, legend and table.

Okabe & Ito's colour-blind-safe hues (Tol's for the rarer variants), each with its own marker, so that colour is never
the only difference. Figures are drawn with the light colours; `THEME` maps each colour to a CSS variable of the page.
In the dark theme, the variable has another value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

INK, MUTED, GRID, PAPER = "#1b1f23", "#59626b", "#dde1e5", "#fefefe"
GENERATION, CONVOLUTION = "#e69f00", "#8d99a5"
# Colours of the parts of bars, light enough for dark labels in both themes.
MIXING, REST, BACKWARD, OPTIMISER, ON_BAR = "#6ab8e0", "#cdd3d9", "#cf9fc4", "#e3d95b", "#14171a"

# Colours of operators, the largest first: Tol's light scheme.
OPERATORS = ("#77aadd", "#ee8866", "#eedd88", "#ffaabb", "#44bb99", "#bbcc33", "#99ddff", "#aaaa00")


@dataclass(frozen=True)
class Look:
    """A name in the style sheet, a colour, a marker, and the marker as a path in a 16 × 16 box for HTML legends."""

    name: str
    colour: str
    marker: str
    path: str


LOOKS = {
    "plain": Look("plain", MUTED, "o", "M8 3a5 5 0 1 0 .01 0z"),
    "lifting": Look("lifting", "#b5588f", "^", "M8 2.5l5.5 10h-11z"),
    "full": Look("full", "#d55e00", "s", "M3.5 3.5h9v9h-9z"),
    "separable": Look("separable", "#0072b2", "D", "M8 2l6 6-6 6-6-6z"),
    "gseparable": Look("gseparable", "#117733", "P", "M6 2.5h4v3.5h3.5v4H10v3.5H6V10H2.5V6H6z"),
    "dseparable": Look("dseparable", "#44aa99", "X", "M5 2l3 3 3-3 3 3-3 3 3 3-3 3-3-3-3 3-3-3 3-3-3-3z"),
    "dgseparable": Look("dgseparable", "#999933", "p", "M8 2l6 4.4-2.3 7.1H4.3L2 6.4z"),
    "separable2d": Look("separable2d", "#332288", "h", "M8 1.8l5.4 3.1v6.2L8 14.2l-5.4-3.1V4.9z"),
    "averaged": Look("averaged", "#8c510a", ">", "M3 2.5l10.5 5.5-10.5 5.5z"),
    "canonical": Look("canonical", "#00859e", "*", "M8 1.5l1.9 4.1 4.5.5-3.4 3 1 4.4-4-2.3-4 2.3 1-4.4-3.4-3 4.5-.5z"),
}
OTHER = Look("other", INK, "v", "M8 13.5l5.5-10h-11z")
# Of a user's second, third and fourth layer or network; the first has the look of others.
OWN_LOOKS = {
    "own-2": Look("own-2", "#c1121f", "<", "M2.5 8l10-5.5v11z"),
    "own-3": Look("own-3", "#a67c00", "d", "M8 1.5l3.6 6.5-3.6 6.5-3.6-6.5z"),
    "own-4": Look("own-4", "#8e44ad", "8", "M5.6 2.3h4.8l3.3 3.3v4.8l-3.3 3.3H5.6l-3.3-3.3V5.6z"),
}
THEME = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    GENERATION: "var(--generation)",
    CONVOLUTION: "var(--convolution)",
    **{look.colour: f"var(--{look.name})" for look in (LOOKS | OWN_LOOKS).values() if look.name != "plain"},
}

RC: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "figure.dpi": 72,  # that of an SVG, so that what is laid out here is what is drawn there
    "figure.facecolor": "none",
    "font.size": 8.5,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 5,
    "pdf.fonttype": 42,  # TrueType fonts: journals refuse type 3
    "savefig.facecolor": "none",
    "svg.fonttype": "none",  # text stays text: searchable, readable aloud, in the fonts of the page
    "svg.hashsalt": "gcnn",  # the same records give the same bytes
    "text.color": INK,
    "text.parse_math": False,  # a "$" in a name starts no formula
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}


def look(variant: str) -> Look:
    """Return the look of a variant, or of a value of ``own_looks``; unknown names share one neutral look."""
    return (LOOKS | OWN_LOOKS).get(variant, OTHER)


def own_looks(factories: Iterable[str]) -> dict[str, str]:
    """Return for each layer or network of users, by its factory, a name that ``look`` knows; a fifth begins again."""
    names = ("custom", *OWN_LOOKS)
    return {factory: names[i % len(names)] for i, factory in enumerate(sorted(set(factories)))}


def in_order(variants: Iterable[str]) -> list[str]:
    """Return the distinct variants: ours first and in our order, then the others by name."""
    known = list(LOOKS)
    names = {str(name) for name in variants}
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))
