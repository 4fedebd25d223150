"""How Sphinx makes the site from README, docs/ and the docstrings; ``nox -s docs`` builds it without a network.

The root of the repository is Sphinx's source folder, so that a link between pages works on GitHub and in the site.
"""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # autodoc imports the checkout

project = "gcnn_impl"
author = "The gcnn_impl contributors"
project_copyright = ""
root_doc = "README"
include_patterns = ["*.md", "docs/**.md", "docs/**.rst", "reports/reference/README.md"]
exclude_patterns = [".*", "build", "dist", "results", "site", "docs/site"]
nitpicky = True
# Types of other packages, whose documentation is not on this machine, and variables that stand for types.
nitpick_ignore_regex = [
    ("py:.*", r"(torch|nn|np|numpy|pd|pandas|collections|pathlib)\b.*"),
    ("py:class", r"(gcnn_impl|benchmarks)\..*\.(\w+T|Scalable)"),
]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
napoleon_use_param = False  # one entry for arguments that share a description
default_role = "code"  # docstrings of the suite write code between single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
add_module_names = False

html_theme = "furo"
html_title = "gcnn_impl"
html_extra_path = ["index.html"]
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_show_search_summary = False  # browsers let a page that was opened from a file read no other page

RENDERED = sorted(path.parent.name for path in (ROOT / "reports/reference").glob("*/records.jsonl*"))
# What the site adds to the end of a page: its menu, and links to the reports that ``nox -s docs`` puts into gallery/.
ADDED = {
    root_doc: (ROOT / "docs/site/menu.md").read_text(),
    "reports/reference/README": "\n".join(
        [
            'The reports of these records (<a href="../../gallery/index.html">with their first sentences</a>):\n',
            *(f'- <a href="../../gallery/{name}.html">{name}</a>' for name in RENDERED),
        ]
    ),
}
# Text that reStructuredText must leave alone, and the |H| that it would take for a substitution.
LITERAL_OR_BAR = re.compile(r"(``.*?``|`[^`]*`)|\|")


def add_text(app: Sphinx, name: str, source: list[str]) -> None:
    """Append to a page what only the site has."""
    source[0] += f"\n{ADDED.get(name, '')}\n"


def escape_bars(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    r"""Write the bars of \|H\| so that reStructuredText shows them."""
    lines[:] = [LITERAL_OR_BAR.sub(lambda found: found[1] or r"\|", line) for line in lines]


def write_factories(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Write the default of a dataclass's field that a factory makes as "...", which Sphinx can read."""
    return signature and signature.replace("<factory>", "..."), returned


def setup(app: Sphinx) -> None:
    """Connect the functions above to Sphinx."""
    app.connect("source-read", add_text)
    app.connect("autodoc-process-docstring", escape_bars)
    app.connect("autodoc-process-signature", write_factories)
