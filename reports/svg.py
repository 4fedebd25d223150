"""A matplotlib figure → an `<svg>` element that can stand many times in one HTML page."""

import io
import re

import matplotlib.pyplot as plt
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from reports.style import THEME

NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}


def inline(figure: Figure, key: str, title: str, description: str) -> Markup:
    """The figure as an accessible `<svg>`: themed by CSS variables, scalable, its ids unique through `key`.

    Closes the figure. `key` is of letters, digits and hyphens; `title` and `description` may hold anything.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=NO_METADATA)
    plt.close(figure)
    source = buffer.getvalue()
    source = source[source.index("<svg") :]  # the XML prologue names an external DTD
    source = re.sub(r"<metadata>.*?</metadata>", "", source, flags=re.DOTALL)
    used = set(re.findall(r'(?:href="|url\()#([\w-]+)', source))
    source = re.sub(r' id="([^"]+)"', lambda match: f' id="{key}-{match[1]}"' if match[1] in used else "", source)
    source = re.sub(r'href="#', f'href="#{key}-', source)
    source = source.replace("url(#", f"url(#{key}-")
    source = re.sub("|".join(THEME), lambda match: THEME[match[0]], source)
    # Fonts and sizes come with the element; the family is the page's.
    source = re.sub(r"(font: [\d.]*(?:bold )?[\d.]+px) [^;\"]*", r"\1 var(--sans)", source)
    head, body = source.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    if box is None:  # not reachable with matplotlib; an unscalable figure would be worse than an error
        raise ValueError("the figure has no viewBox")
    labels = f'role="img" aria-labelledby="{key}-title {key}-description"'
    texts = f'<title id="{key}-title">{escape(title)}</title><desc id="{key}-description">{escape(description)}</desc>'
    # xlink:href needs no namespace in HTML; markup of matplotlib, its texts escaped by matplotlib.
    return Markup(f"<svg {box[0]} {labels}>{texts}{body}")
