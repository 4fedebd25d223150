"""The check of the built site: it finds broken links and pages that would load something from a server."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).parents[1] / "docs/site/check.py"
PAGE = '<html><link href="style.css"><h1 id="top">é</h1>{}</html>'


def checked(site: Path) -> tuple[int, list[str]]:
    done = subprocess.run([sys.executable, CHECK, site], capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "style.css").write_text("body { background: url(data:,) }")
    (tmp_path / "folder/style.css").write_text("")
    (tmp_path / "folder/b.html").write_text(PAGE.format(""))
    links = '<a href="folder/b.html#top"></a><a href="#top"></a><a href="https://example.org/x"></a>'
    (tmp_path / "a.html").write_text(PAGE.format(links))
    return tmp_path


def test_a_site_without_a_broken_link_is_fine(site):
    assert checked(site) == (0, ["2 pages, 3 links; wrong: 0; links to other servers: 1"])


@pytest.mark.parametrize(
    ("element", "said"),
    [
        ('<a href="c.html">', "c.html: no such file"),
        ('<a href="../a.html#nothing">', "../a.html#nothing: no such element"),
        ('<a href="#nothing">', "#nothing: no such element"),
        ('<img src="lacking.svg">', "lacking.svg: no such file"),
        ('<script src="https://cdn.example.org/x.js"></script>', "loads https://cdn.example.org/x.js"),
        ('<img src="//example.org/x.png">', "loads //example.org/x.png"),
        ("<style>@import 'https://example.org/x.css'</style>", "loads https://example.org/x.css"),
    ],
)
def test_a_broken_link_or_a_request_is_named(site, element, said):
    page = site / "folder/b.html"
    page.write_text(PAGE.format(element))
    status, lines = checked(site)
    assert (status, lines[0]) == (1, f"{page.resolve()}: {said}")
    assert lines[1].startswith("2 pages, ")


def test_a_style_sheet_that_loads_a_font_is_named(site):
    (site / "style.css").write_text('@font-face { src: url("https://fonts.example.org/x.woff2") }')
    status, lines = checked(site)
    assert (status, lines[0]) == (1, f"{(site / 'style.css').resolve()}: loads https://fonts.example.org/x.woff2")


def test_an_empty_folder_is_no_site(tmp_path):
    assert checked(tmp_path) == (2, [f"error: no page in {tmp_path.resolve()}; `nox -s docs` builds the site"])
