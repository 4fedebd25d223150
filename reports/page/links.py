"""The sections of the page: their ids and titles, and links where a text names a section in quotes."""

import re

from markupsafe import Markup, escape

# The sections of a part of the page: the end of their ids, and their titles in the contents.
OF_PART = {
    "answer": "In short",
    "choice": "Which to use",
    "growth": "How cost grows",
    "inside": "Where time and memory go",
    "by-operator": "By operator",
    "separable": "Realised speed-up",
    "roofline-section": "Roofline",
    "others": "Other layers",
    "accuracy": "Accuracy",
    "equivariance": "Equivariance",
    "redundancy-section": "Redundancy",
    "missing": "Not measured",
    "floor": "Noise",
}
# The sections that the page has once: their ids and titles.
OF_PAGE = {
    "commits": "History",
    "machines": "Machines",
    "method": "Method and limits",
    "glossary": "Words",
    "records": "Every record",
    "data": "Data and citation",
}
_QUOTED = re.compile("“([^”]+)”")


def linked(text: str, part: str, file: str = "") -> Markup:
    """Return a text as HTML, in which every title of a section in quotes is a link to this section.

    Args:
        part: the id of the part whose sections are meant.
        file: the address of the page; empty for links within a page.

    >>> str(linked("“Noise” says “why” & how", "m1"))
    '<a href="#m1-floor">Noise</a> says “why” &amp; how'
    """
    ids = {title: f"{part}-{name}" for name, title in OF_PART.items()} | {
        title: name for name, title in OF_PAGE.items()
    }

    def link(found: re.Match[str]) -> str:
        name = ids.get(found[1])
        return found[0] if name is None else f'<a href="{escape(file)}#{escape(name)}">{found[1]}</a>'

    return Markup(_QUOTED.sub(link, str(escape(text))))
