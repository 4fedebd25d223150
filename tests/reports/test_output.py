"""Tests of what the reports' commands print for programs, and without remarks."""

import json

import pytest

from reports.__main__ import main

from .conftest import cost_record, failed_record, training_record
from .test_command import results

# For each command its options, where R is a folder of results, F one with a failure alone, and P one of pages; and what
# its result has.
EVERY = {
    "render": ("--results F --output P/report.html", {"page"}),
    "diff": ("R R", {"verdict", "times", "accuracies", "counts"}),
    "summary": ("--results R", {"measured", "machines"}),
    "export": ("--results F --output P/export", {"directory", "written"}),
    "gallery": ("P", {"page", "remarks"}),
}


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("reports")
    records = cost_record(), cost_record(variant="plain"), training_record("plain", 1, 0, 0.5)
    failed = results(place / "f", failed_record("x"))  # a page and figures of one failure are soon made
    found = {"R": results(place / "r", *records), "F": failed, "P": str(place / "pages")}
    assert main(["--results", failed, "--output", f"{found['P']}/report.html"]) == 0
    return found


@pytest.mark.parametrize("command", EVERY)
def test_a_program_can_read_the_result_of_every_command(command, folders, capsys):
    options, fields = EVERY[command]
    words = [command, *("/".join(folders.get(part, part) for part in word.split("/")) for word in options.split())]
    status = main([*words, "--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert fields <= json.loads(out, parse_constant=refuse).keys()
    assert main([*words, "--quiet"]) == status
    out, err = capsys.readouterr()
    assert (out != "", err) == (True, "")


@pytest.mark.parametrize("command", [(), ("render",), ("summary",), ("export",), ("readme",)])
def test_an_error_is_json_too(command, tmp_path, capsys):
    assert main([*command, "--results", str(tmp_path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["error"].startswith("no results in ")
    assert err.startswith("error: no results in ")
