"""The page in a real browser, with the network off."""

import re
import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
    "--virtual-time-budget=2000",
    "--dump-dom",
]
# Runs after the page's own script; the test page carries no policy that forbids it.
CLICKS = """<script>
addEventListener("load", async () => {
const length = document.querySelector("#costs_wrapper select.dt-input");
length.value = -1;
length.dispatchEvent(new Event("change"));
const heading = [...document.querySelectorAll("#costs th")].find((th) => th.textContent === "time, median");
const column = heading.cellIndex;
const keys = () => [...heading.closest("table").tBodies[0].rows].map((row) => row.cells[column].textContent).join();
for (const order of ["ascending", "descending"]) {
  heading.click();
  await new Promise((done) => setTimeout(done, 100));  // the table sorts when it has drawn itself
  document.body.dataset[order] = heading.getAttribute("aria-sort") + ":" + keys();
}
});
document.body.dataset.drawn = [...document.querySelectorAll("figure .panels svg")]
  .filter((svg) => svg.getBoundingClientRect().width > 100 && svg.getBBox().height > 100).length;
document.body.dataset.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
</script>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")


def browse(page, tmp_path):
    """The DOM after the scripts ran, and the lines of the console."""
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def test_the_page_opens_without_a_word_on_the_console(page, tmp_path):
    dom, console = browse(page, tmp_path)
    assert console == []
    assert dom.count("<figure") == 19
    assert dom.count('role="img"') == page.count('role="img"')
    assert 'data-ready="yes"' in dom


def test_every_figure_is_drawn_and_tables_sort(page, tmp_path):
    open_page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    dom, console = browse(open_page.replace("</body>", f"{CLICKS}</body>"), tmp_path)
    assert console == []
    body = dict(re.findall(r'data-([a-z]+)="([^"]*)"', re.search(r"<body[^>]*>", dom)[0]))
    assert int(body["drawn"]) == page.count('role="img"')
    assert int(body["overflow"]) <= 0
    for order, sign in (("ascending", 1), ("descending", -1)):
        state, keys = body[order].split(":")
        keys = keys.split(",")
        units = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}
        known = [float(number) * units[unit] for number, unit in (key.split() for key in keys if key != "–")]
        assert len(known) > 70
        assert state == order
        assert known == sorted(known, key=lambda key: sign * key)
        assert keys[-2:] == ["–", "–"]  # the two failures have no time, and stay last either way


def test_a_policy_violation_would_be_seen(page, tmp_path):
    _, console = browse(page.replace("</body>", "<script>1</script></body>"), tmp_path)
    assert any("Content Security Policy" in line for line in console)
