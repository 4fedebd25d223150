"""Chromium as readers use it: Playwright drives the installed browser, without a network.

Every visit records the lines on the page's console and the requests to the network; tests assert that both
lists are empty.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@dataclass
class Visit:
    """An open page, the lines on its console, and its requests to the network besides the page itself."""

    page: Page
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def interactive(self) -> float:
        """Return milliseconds from the start of loading until all scripts have run and a frame was drawn."""
        return float(
            self.page.evaluate(
                "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0)))"
            )
        )


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS, headless=True)
        yield browser
        browser.close()


@contextmanager
def visit(
    browser: Browser,
    file: Path,
    *,
    scripts: bool = True,
    dark: bool = False,
    size: dict[str, int] | None = None,
    address: str = "",
) -> Iterator[Visit]:
    """Open the page of a file, or an address of it with what it shows, offline and in its own profile.

    A report's scripts have run when it is open.
    """
    context = browser.new_context(
        offline=True,
        java_script_enabled=scripts,
        viewport=size or DESKTOP,
        color_scheme="dark" if dark else "light",
        accept_downloads=True,
    )
    page = context.new_page()
    found = Visit(page)
    page.on("console", lambda message: found.console.append(message.text))
    page.on("pageerror", lambda error: found.console.append(str(error)))
    page.on("request", lambda request: found.requests.append(request.url))
    page.goto(address or file.resolve().as_uri())
    if scripts and page.locator("#archive").count():
        page.locator("html[data-ready]").wait_for(state="attached")
    found.requests.remove(file.resolve().as_uri())
    yield found
    context.close()


@contextmanager
def open_page(file: Path) -> Iterator[Visit]:
    """Open the page of a file in a browser of its own."""
    with chromium() as browser, visit(browser, file) as found:
        yield found
