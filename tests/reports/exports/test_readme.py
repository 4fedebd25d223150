"""README's table, sentences and figures are those that the command makes from the reference records."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.answers.made_lines import END, begin, filled
from reports.__main__ import REFERENCE, load_records, main
from reports.exports.readme import COMMAND, answer

from ..conftest import cost_record, every_record, on_gpu
from ..test_command import results

ROOT = Path(__file__).parents[3]
SVG = "{http://www.w3.org/2000/svg}"
BEGIN = begin(COMMAND)
MADE_BY = "nox -s pages"


@pytest.fixture(scope="module")
def made():
    return answer(load_records(ROOT / REFERENCE))


def test_the_readme_has_the_lines_of_its_records(made):
    text = (ROOT / "README.md").read_text()
    assert filled(text, COMMAND, made.lines) == text, MADE_BY


def words_and_marks(svg: str) -> Iterator[tuple[str, float, float]]:
    """Yield the texts and the marks of a drawing with their places, which another matplotlib may move by a little."""
    for element in ElementTree.fromstring(svg).iter():
        if element.tag in (f"{SVG}text", f"{SVG}use"):
            place = re.findall(r"translate\(([-\d.]+) ([-\d.]+)\)", element.get("transform", ""))
            x, y = place[0] if place else (element.get("x", "0"), element.get("y", "0"))
            yield "".join(element.itertext()).strip(), float(x), float(y)


def test_the_figures_of_the_readme_are_those_of_its_records(made):
    figures = {path.name: path.read_text() for path in (ROOT / "docs/figures").glob("*.svg")}
    assert figures.keys() == made.figures.keys(), MADE_BY
    for name, drawn in made.figures.items():
        texts, *places = zip(*words_and_marks(drawn), strict=True)
        committed_texts, *committed_places = zip(*words_and_marks(figures[name]), strict=True)
        assert committed_texts == texts, (name, MADE_BY)
        for committed, place in zip(committed_places, places, strict=True):
            assert committed == pytest.approx(place, abs=1.5), (name, MADE_BY)


def test_the_readme_links_to_its_figures(made):
    assert set(re.findall(r"\(docs/figures/([\w-]+\.svg)\)", (ROOT / "README.md").read_text())) == made.figures.keys()


def test_the_command_changes_only_the_lines_between_its_comments(tmp_path, capsys):
    page, records = tmp_path / "README.md", results(tmp_path / "r", *every_record())
    page.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n")
    assert main(["readme", "--results", records, "--output", str(page)]) == 0
    assert capsys.readouterr().out == f"{page}\n"
    text = page.read_text()
    assert text.startswith(f"before\n\n{BEGIN}\n\n| layer |")
    assert text.endswith(f"\n\n{END}\n\nafter\n")
    assert "old" not in text
    assert {path.name for path in (tmp_path / "docs/figures").iterdir()} >= {"relative.svg", "legend.svg"}


def test_a_page_without_the_comments_is_refused_and_stays(tmp_path, capsys):
    page, records = tmp_path / "README.md", results(tmp_path / "r", *every_record())
    page.write_text("nothing\n")
    assert main(["readme", "--results", records, "--output", str(page)]) == 2
    assert capsys.readouterr().err.startswith("error: the page has 0 places for the lines; needed: one, between ")
    assert page.read_text() == "nothing\n"


def test_records_of_two_machines_are_refused():
    here = cost_record(variant="full")
    with pytest.raises(ValueError, match=r"^records of 2 machines; allowed: those of one$"):
        answer([here, on_gpu(here)])
