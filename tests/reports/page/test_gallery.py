import re
from html.parser import HTMLParser

import pytest

from reports.__main__ import main
from reports.page.gallery import gallery
from reports.page.page import render

from ..conftest import cost_record, empty_figures


class Links(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found, self.tags = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "a":
            self.found.append(dict(attributes)["href"])


def report(path, *, measured="2030-01-02T03:04:05+00:00", **changes):
    records = [cost_record(variant=variant, **changes) for variant in ("plain", "full")]
    for record in records:
        record["provenance"]["measured_at"] = measured
    path.parent.mkdir(parents=True, exist_ok=True)
    with empty_figures():
        path.write_text(render(records), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("gallery")
    report(place / "january.html")
    report(place / "deep" / "in a folder #1.html", measured="2030-02-02T03:04:05+00:00")
    (place / "old.html").write_text("<title>What group equivariance costs, and what it buys</title>")
    (place / "other.html").write_text("<title>Something else</title>")
    return place


def test_every_report_is_named_with_what_it_says_of_itself(folder):
    page, remarks = gallery(folder, folder / "index.html")
    assert remarks == [f"{folder / 'other.html'} is no report, left out"]
    assert Links(page).found == ["deep/in%20a%20folder%20%231.html", "january.html", "old.html"]  # newest first
    assert "Measured on 2030-02-02 on Made-up CPU, 2 cores, commit\n0123456789. 2 cost records" in page
    assert "Cost: one layer takes" in page
    assert "does not say what is in it" in page


def test_links_go_from_where_the_page_is(folder):
    page, _ = gallery(folder, folder / "deep" / "index.html")
    assert Links(page).found == ["in%20a%20folder%20%231.html", "../january.html", "../old.html"]


def test_it_loads_nothing_and_allows_no_script(folder):
    page, _ = gallery(folder, folder / "index.html")
    tags = Links(page).tags
    policy = next(a["content"] for _, a in tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "object"}
    assert not re.search(r"@import|url\(", page)


def test_what_a_report_says_of_itself_is_text(tmp_path):
    (tmp_path / "evil.html").write_text(
        "<meta name=report-overview content='"
        '{"machines": ["<script>alert(1)</script>"], "sentences": [1, null, {}], "commits": "abc", "measured": []}'
        "'>"
    )
    (tmp_path / "worse.html").write_text("<meta name=report-overview content='[[['>")
    (tmp_path / "bytes.html").write_bytes(b"\xff\xfe<meta name=report-overview content='{\"machines\": 3}'>")
    page, _ = gallery(tmp_path, tmp_path / "index.html")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert len(Links(page).found) == 3


def test_the_command_writes_an_index_and_does_not_list_it(folder, capsys):
    for _ in range(2):
        assert main(["gallery", str(folder)]) == 0
        out, err = capsys.readouterr()
        assert out == f"{folder / 'index.html'}\n"
        assert err == f"warning: {folder / 'other.html'} is no report, left out\n"
    assert (folder / "index.html").read_text().count("<section>") == 3


def test_no_report_and_no_directory_are_one_line(tmp_path, capsys):
    assert main(["gallery", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: no report in {tmp_path}; make one with ")
    assert main(["gallery", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'nowhere'} is no directory; allowed: ")


def test_the_sentences_of_a_report_of_two_devices_name_theirs(tmp_path, page_of_both):
    (tmp_path / "both.html").write_text(page_of_both)
    page, _ = gallery(tmp_path, tmp_path / "index.html")
    assert "on Made-up GPU in Made-up CPU, 2 cores; and on Made-up CPU, 2 cores" in page
    assert page.index("<p>On Made-up GPU in Made-up CPU, 2 cores:</p>") < page.index("Cost: one layer takes")
    assert page.count("Cost: one layer takes") == 1
