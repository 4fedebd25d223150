"""Check the links of a built site: ``python docs/site/check.py site``; exit status 1: something is wrong, 2: no page.

A link inside of the site must lead to a file, and to an element of this file if it names one. Links to other servers
are counted, not fetched. No page may load anything from a server: no script, style sheet, image or font.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# The attributes that make a browser load a file while it shows the page.
LOADED = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("object", "data")}
IN_STYLES = re.compile(r"(?:@import\s+|url\()\s*[\"']?((?:https?:)?//[^\"')\s]+)")


class Page(HTMLParser):
    """The ids of a page's elements, the targets of its links, and the addresses of what a browser loads for it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        text = path.read_text(encoding="utf-8")
        self.loaded.update(IN_STYLES.findall(text))
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the attributes of an element."""
        for name, value in attrs:
            if name == "id" or (tag == "a" and name == "name"):
                self.ids.add(value or "")
            elif (tag, name) in LOADED:
                self.loaded.add(value or "")
            elif (tag, name) == ("a", "href"):
                self.links.add(value or "")


def broken_links(pages: dict[Path, Page]) -> Iterator[str]:
    """Yield a line for each link, and each file that a page loads, that is not in the site."""
    for path, page in pages.items():
        for link in sorted(page.links | page.loaded):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.is_file():
                yield f"{path}: {link}: no such file"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                yield f"{path}: {link}: no such element"


def requests(site: Path, pages: dict[Path, Page]) -> Iterator[str]:
    """Yield a line for each address of a server from which a page or a style sheet loads something."""
    found = {path: page.loaded for path, page in pages.items()}
    found |= {path: set(IN_STYLES.findall(path.read_text(encoding="utf-8"))) for path in site.rglob("*.css")}
    for path, loaded in found.items():
        yield from (f"{path}: loads {each}" for each in sorted(loaded) if re.match(r"(https?:)?//", each))


def main(site: Path) -> int:
    """Print what is wrong, then the counts; return 0 if nothing is wrong, else 1."""
    site = site.resolve()
    pages = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    if not pages:
        print(f"error: no page in {site}; `nox -s docs` builds the site", file=sys.stderr)
        return 2
    wrong = [*broken_links(pages), *requests(site, pages)]
    links = [link for page in pages.values() for link in page.links]
    outside = {link for link in links if urlsplit(link).scheme in ("http", "https")}
    print(*wrong, sep="\n", end="\n" * bool(wrong))
    print(f"{len(pages)} pages, {len(links)} links; wrong: {len(wrong)}; links to other servers: {len(outside)}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
