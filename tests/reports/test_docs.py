"""Every command about the report that the documentation shows works, and every path that it names exists."""

import re
import shlex
from pathlib import Path

import pytest

from reports.__main__ import main

from .conftest import cost_record, training_record
from .test_command import results

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text(), re.DOTALL | re.MULTILINE)


def commands():
    [block] = blocks("reading-the-report.md", "sh")
    return [line.partition("#")[0].strip() for line in block.splitlines()]


def test_the_page_tells_of_several_commands():
    assert len(commands()) == 3


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("command", commands())
def test_commands_of_the_page_about_reading_work(tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    there = cost_record(variant="plain")
    there["provenance"]["commit"] = "b" * 40
    there["seconds"]["rounds"][0][0] *= 1 + 1e-9  # another measurement
    results(tmp_path / "results", cost_record(), training_record("plain", 1, 0, 0.5))
    for a, b in (("A", "B"), ("OLD", "NEW")):
        results(tmp_path / a, cost_record(variant="plain"))
        results(tmp_path / b, there)
    python, module, name, *arguments = shlex.split(command)
    assert (python, module, name) == ("python", "-m", "reports")
    assert main(arguments) == 0
    written = {path.name for path in tmp_path.rglob("*.html")}
    assert written == ({"both.html"} if "--output" in arguments else set() if "diff" in arguments else {"report.html"})


def test_places_that_the_page_about_adding_names_exist():
    text = (DOCS / "adding-a-group-or-variant.md").read_text()
    paths = set(re.findall(r"`([\w/]+(?:\.(?:py|css)|/))`", text))
    assert len(paths) > 8
    for path in paths:
        assert (DOCS.parent / path).exists(), path
