"""What all HTML pages share: the templates, the style sheet, and the hashes for the security policy."""

import base64
import gzip
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.page.links import linked
from reports.words.numbers import unbroken

TEMPLATES = Path(__file__).parents[1] / "templates"


def environment() -> Environment:
    """Return the environment of the templates: it escapes everything, and a missing value is an error."""
    loader = FileSystemLoader(TEMPLATES)
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {"unbroken": unbroken, "linked": linked, "packed": packed}
    return found


def style_sheet() -> str:
    """Return the style sheet, the same for all pages."""
    return (TEMPLATES / "style.css").read_text(encoding="utf-8")


def packed(text: str) -> str:
    """Return a text that the page's script unpacks: gzip in base64, which no record can end."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def embedded(text: str) -> Markup:
    """Return JSON text in which nothing can end the script element around it."""
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


def policy_hash(text: str) -> str:
    """Return the hash by which a Content-Security-Policy allows a script or a style sheet."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
