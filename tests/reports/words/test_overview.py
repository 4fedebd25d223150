"""What the page is about, and how to cite it: by the fields of CITATION.cff."""

import re
from pathlib import Path

from reports.frames.frames import frames
from reports.words.overview import AUTHORS, bibtex, citation, overview, remarks, subject

from ..conftest import cost_record, training_record

ROOT = Path(__file__).parents[3]


def test_the_page_is_cited_as_citation_cff_says(records):
    data = frames(records)
    head = overview(data, [])
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")

    def fields(name):
        return [text.strip('"') for text in re.findall(rf"^[ -]*{name}: (.+)$", cited, re.MULTILINE)]

    assert AUTHORS in fields("name")
    assert citation(data, head).startswith(f"{AUTHORS}: {head.title}. ")
    entries = bibtex(data, head)
    people = " and ".join(map(", ".join, zip(fields("family-names"), fields("given-names"), strict=True)))
    pages = f"{fields('start')[0]}--{fields('end')[0]}"
    for value in (people, pages, *fields("collection-title"), *fields("volume"), fields("name")[-1]):
        assert f"{{{value}}}" in entries
    assert fields("title")[-1] in entries.replace("{Lie}", "Lie")
    assert "year = {2030}" in entries  # of the newest record
    assert entries.count("{") == entries.count("}")


def test_a_users_module_whose_code_was_changed_between_records_is_named():
    own = {"variant": "custom", "implementation": "mine:Layer"}
    first, second = cost_record(**own), cost_record(**own, batch_size=1)
    for record in (first, second):
        record["provenance"]["own_code"] = {"mine:Layer": "1", "mine:Other": record["id"]}
    run = training_record("plain", 1, 0, 0.9)
    run["run"] |= {"network": "mine:net", "variant": "custom"}
    run["provenance"]["own_code"] = {"mine:net": "1"}
    assert not any("changed" in remark for remark in remarks(frames([first, second, run])))
    second["provenance"]["own_code"]["mine:Layer"] = "2"
    (said,) = (remark for remark in remarks(frames([first, second, run])) if "changed" in remark)
    assert said == "The code of mine:Layer was changed between records: they are not of one layer or network."


def test_the_page_names_what_it_is_about():
    layers = [cost_record(variant=variant) for variant in ("full", "plain")]
    own = cost_record(variant="custom", implementation="mine:Layer")
    run = training_record("separable", 4, 0, 0.9)
    assert subject(frames([*layers, own, run])) == ("Layers (plain, full and 1 of a user) and networks (separable)")
    assert subject(frames([run])) == "Networks (separable)"
    assert subject(frames([])) == "Layers and networks"
