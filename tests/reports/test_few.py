"""Results of one round and one seed, or two, and with gaps: no text says nan, None or inf, or has endless digits."""

import copy
import json
import re

import pytest

from benchmarks.__main__ import main as benchmarks
from benchmarks.answers.questions import QUESTIONS
from benchmarks.answers.side_by_side import lines_of, side_by_side
from benchmarks.cases.case import Case
from benchmarks.statistics.written import TOO_FEW
from benchmarks.training.profiles import accuracy_table, profile_runs
from reports.__main__ import main as reports

from .conftest import every_record, on_gpu, undrawn_panels

WRONG = re.compile(r"\b(nan|None|inf|infinity)\b|(?<![\w.])\d{10,}(?![\w.])|\d(,\d{3}){3,}")


def few(n, *, steady=False, gaps=False):
    """Return records of `n` rounds and `n` seeds, whose rounds differ by half, or not at all if `steady`."""
    made = []
    for record in copy.deepcopy(every_record()):
        if record["kind"] == "training":
            if record["run"]["seed"] >= n:
                continue
            record["run"] |= {
                "budget": record["run"]["epochs"],
                "budget_unit": "epochs",
                "matched": "none",
                "scales": 1,
            }
            record["schema"] = 2
        else:
            case = record.get("case")
            if case is not None:
                record["id"] = record["id"] if record["kind"] == "twin" else Case(**case).id
            if record["seconds"] is not None:
                median = record["seconds"]["median"]
                factors = [1.0 if steady else 1.0 + 0.5 * number for number in range(n)]
                if record["kind"] == "twin" and not steady:
                    factors = [factor**-2 for factor in factors]
                record["seconds"] |= {"rounds": [[median * factor] for factor in factors], "n": n}
        if gaps:
            record["provenance"] |= {"cpu": None, "cores": None, "gpu": None, "load_before": None, "device_name": None}
            if record["kind"] == "training":
                record["data"] |= {"train": None, "validation": None, "source": None}
        record["provenance"]["commit"] = "abcdef" * 7
        made.append(record)
    by_identity = {json.dumps(old["case"]): Case(**old["case"]).id for old in every_record() if old["kind"] == "cost"}
    firsts = {old["id"]: by_identity[json.dumps(old["case"])] for old in every_record() if old["kind"] == "cost"}
    return [record | ({"case_id": firsts[record["case_id"]]} if record["kind"] == "twin" else {}) for record in made]


SETS = {
    "one": few(1),
    "two": few(2),
    "two steady": few(2, steady=True),
    "three": few(3),
    "one with gaps": few(1, gaps=True),
    "two with gaps": few(2, gaps=True),
}


@pytest.fixture(params=SETS)
def stored(request, tmp_path):
    """Return a folder of records of one of the sets, and a folder of the same records with longer times."""
    folders = []
    for name, factor in (("a", 1.0), ("b", 1.3)):
        folder = tmp_path / name
        folder.mkdir()
        lines = []
        for record in copy.deepcopy(SETS[request.param]):
            if record.get("seconds"):
                record["seconds"]["rounds"] = [[factor * x for x in each] for each in record["seconds"]["rounds"]]
            lines.append(json.dumps(record) + "\n")
        (folder / "records.jsonl").write_text("".join(lines))
        folders.append(str(folder))
    return folders


def check(text):
    assert text.strip()
    found = WRONG.search(text)
    assert found is None, text[max(0, found.start() - 200) : found.end() + 50]


def visible(page):
    """Return the texts of a page: what stands between tags, in tips and in the data of its tables."""
    data = "\n".join(re.findall(r"<script[^>]*json[^>]*>(.*?)</script>", page, re.S))
    tips = "\n".join(re.findall(r'(?:title|aria-label|alt|data-tip)="([^"]*)"', page))
    rest = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    texts = re.findall(r'"texts":\[(.*?)\]', data, re.S)
    return "\n".join([re.sub(r"<[^>]*>", " ", rest), tips, *texts])


@pytest.mark.parametrize(
    "command",
    [
        "advise --max-ms 1e9 --dataset rotated-digits --results A",
        "advise --max-epoch-seconds 1e9 --min-accuracy 0.5 --dataset rotated-digits --results A",
        "advise --max-ms 1e-9 --dataset rotated-digits --results A",
        "break-even --results A --target 0.5 0.9 0.999",
        "compare A B",
        "compare A B --markdown --across-machines",
    ],
)
def test_commands_write_no_wrong_number(command, stored, capsys):
    status = benchmarks([part if part not in "AB" else stored["AB".index(part)] for part in command.split()])
    out, err = capsys.readouterr()
    assert status in (0, 1, 3)
    check(out + err)


@pytest.mark.parametrize("command", ["diff A B --all", "diff A B --markdown", "summary --results A"])
def test_reports_write_no_wrong_number(command, stored, capsys):
    assert reports([part if part not in "AB" else stored["AB".index(part)] for part in command.split()]) in (0, 1, 3)
    check("".join(capsys.readouterr()))


@pytest.mark.parametrize("stored", ["one", "two", "two with gaps"], indirect=True)
def test_the_page_and_the_exports_have_no_wrong_number(stored, tmp_path):
    page = tmp_path / "page.html"
    assert reports(["--results", stored[0], "--output", str(page)]) == 0
    check(visible(page.read_text(encoding="utf-8")))
    with undrawn_panels():  # the page has drawn them
        assert reports(["export", "--results", stored[0], "--output", str(tmp_path / "out")]) == 0
    files = sorted((tmp_path / "out").rglob("*.csv"))
    assert files
    for path in files:
        cells = {cell for line in path.read_text(encoding="utf-8").splitlines() for cell in line.split(",")}
        assert not cells & {"nan", "NaN", "inf", "-inf", "None"}, path.name
    for path in (tmp_path / "out").rglob("*.md"):
        check(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SETS)
def test_tables_write_no_wrong_number(name):
    records = SETS[name]
    cases = [Case(**record["case"]) for record in records if record["kind"] == "cost" and record["status"] == "ok"]
    lines = lines_of(side_by_side(cases, records))
    for question in QUESTIONS.values():
        lines += question.answer(cases, records)
    lines += accuracy_table(profile_runs("quick", seeds=1), records)
    check("\n".join(lines))
    compared = [line for line in lines if line.startswith("torch ")]
    assert compared
    assert all((TOO_FEW in line) == (name != "three") for line in compared)


def test_results_of_a_gpu_name_it_and_of_a_processor_do_not(tmp_path, capsys):
    lines = [json.dumps(on_gpu(record)) + "\n" for record in few(3) if record["kind"] == "training"]
    (tmp_path / "records.jsonl").write_text("".join(lines))
    assert benchmarks(["break-even", "--results", str(tmp_path), "--target", "0.5"]) == 0
    assert "Made-up GPU in Made-up CPU, 2 cores" in capsys.readouterr().out
    advise = ["advise", "--results", str(tmp_path), "--max-macs", "1e9", "--device", "cuda"]
    assert benchmarks([*advise, "--dataset", "rotated-digits"]) == 0
    assert "Made-up GPU in Made-up CPU, 2 cores" in capsys.readouterr().out
