"""Sections that a text names are links, and every link within the page leads somewhere."""

import re
from html.parser import HTMLParser

import pytest

from reports.page.gallery import gallery
from reports.page.links import OF_PAGE, OF_PART, linked
from reports.page.page import render

from ..conftest import cost_record, empty_figures, every_record, noisy, training_record

TITLES = {**OF_PART, **OF_PAGE}.values()


class Page(HTMLParser):
    """The ids of a page, the links within it, and its text outside of scripts."""

    def __init__(self, page):
        super().__init__()
        self.ids, self.links, self.text, self.remarks, self._within = set(), [], "", [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        of = dict(attributes)
        self.ids |= {of["id"]} if "id" in of else set()
        self._within.append((tag, of))
        if tag == "a" and of.get("href", "").startswith("#"):
            self.links.append(of["href"][1:])
            if any(each.get("class") == "remark" for _, each in self._within):
                self.remarks.append(of["href"])

    def handle_endtag(self, tag):
        while self._within and self._within.pop()[0] != tag:
            pass

    def handle_data(self, text):
        if not any(tag in ("script", "style") for tag, _ in self._within):
            self.text += text


@pytest.fixture(scope="module")
def shown():
    with empty_figures():
        return Page(render(every_record()))


def test_the_remark_about_noise_leads_to_the_section_on_noise(shown):
    assert shown.remarks == ["#m1-floor"]


def test_it_leads_to_the_machine_with_the_most_noise():
    quiet = [cost_record(variant=variant) for variant in ("plain", "full", "separable")]
    loud = [noisy(cost_record(variant=variant)) for variant in ("plain", "full")]
    for record in loud:
        record["provenance"]["cpu"] = "Another CPU"
    with empty_figures():
        assert Page(render([*quiet, *loud])).remarks == ["#m2-floor"]


def test_no_section_is_named_in_quotes_without_a_link(shown):
    assert [title for title in TITLES if f"“{title}”" in shown.text] == []


def test_links_lead_to_sections_that_are_there(shown):
    assert {f"m1-{name}" for name in OF_PART} - {"m1-others"} <= shown.ids
    assert set(OF_PAGE) - {"commits"} <= shown.ids
    rows = {link for link in shown.links if re.match(r"(cost|run)-", link)}
    assert set(shown.links) - rows <= shown.ids


def test_the_gallery_links_to_the_section_of_each_report(tmp_path):
    with empty_figures():
        (tmp_path / "a b.html").write_text(render([noisy(cost_record(variant="plain"))]), encoding="utf-8")
    page, _ = gallery(tmp_path, tmp_path / "index.html")
    assert '<a href="a%20b.html#m1-floor">Noise</a>' in page


def test_a_text_is_escaped_and_other_words_in_quotes_stay_as_they_are():
    assert linked("“Words” & “<b>”", "m1") == '<a href="#glossary">Words</a> &amp; “&lt;b&gt;”'


def test_a_study_has_the_table_of_pairs_and_the_sentence_with_a_link_to_it(shown):
    assert "Two networks compared directly" in shown.text
    assert "more pairs, and the rule" in shown.text
    with empty_figures():
        alone = Page(render([training_record("plain", 1, seed, 0.9) for seed in range(3)]))
    assert "Two networks compared directly" not in alone.text
