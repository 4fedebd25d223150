import base64
import gzip
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

import reports
from benchmarks.records.store import RecordStore
from benchmarks.statistics.comparison import ENOUGH_TWINS, FLOOR_ERROR_RATE
from benchmarks.statistics.over_seeds import BOOTSTRAP_SEEDS, LEAST_RESAMPLED
from benchmarks.statistics.summary import FEW_ROUNDS
from benchmarks.terminal.program import Program
from reports.page.page import render
from reports.page.part import rival_commits
from reports.tables.records import STATIC_ROWS

from ..conftest import (
    GPU,
    cost_record,
    every_record,
    failed_record,
    gpu_records,
    noisy,
    old,
    on_gpu,
    training_record,
    undrawn_panels,
)


class Elements(HTMLParser):
    """The tags of a page with their attributes, and the text of each table row."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.rows, self._cell = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        if tag == "td":
            self._cell = False

    def handle_data(self, text):
        if self._cell:
            self.rows[-1][-1] += text


@pytest.fixture(scope="module")
def elements(page):
    return Elements(page)


def unpacked(page, name):
    """Return the text of a packed file inside of the page, which only the page's script reads."""
    content = re.search(rf'<script type="text/plain" id="{name}">(.*?)</script>', page, re.DOTALL)[1]
    return gzip.decompress(base64.b64decode(content)).decode()


def test_nothing_is_loaded_from_outside(page, elements):
    allowed = re.compile(r"#|data:")
    page = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)  # the library's licences contain addresses
    for tag, attributes in elements.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster", "data"):
            if attributes.get(name):
                assert allowed.match(attributes[name]), (tag, name, attributes[name][:80])
    assert not re.search(r"@import|url\((?!#)", page)
    assert {tag for tag, _ in elements.tags} & {"iframe", "object", "embed", "img"} == set()


def test_text_from_records_is_text(page, elements):
    assert [row for row in elements.rows if "<script>alert(1)</script> & more" in row]
    assert "<script>alert" not in page
    kinds = [a.get("type") for tag, a in elements.tags if tag == "script"]
    data = kinds.count("application/json")
    assert data == page.count('class="plots"') > 10
    packed = ["text/plain"] * 4  # the data of two tables, and the libraries of tables and of charts
    assert kinds == ["application/json"] * data + packed + ["module"]


def test_the_policy_allows_our_script_and_no_other(page, elements):
    policy = next(a["content"] for tag, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy")
    for tag in ('script type="module"', "style"):
        text = re.search(rf"<{tag}>(.*?)</{tag.split()[0]}>", page, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag.split()[0]}-src 'sha256-{digest}'" in policy
    for library in ("tables", "charts"):
        digest = base64.b64encode(hashlib.sha256(unpacked(page, library).encode()).digest()).decode()
        assert f" 'sha256-{digest}'" in policy
    assert policy.count("sha256-") == 4
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not [a for _, a in elements.tags if "style" in a or any(name.startswith("on") for name in a)]


def test_the_data_of_the_tables_is_what_the_rows_show(page, elements):
    costs = json.loads(unpacked(page, "costs-source"))
    shown = [[column["texts"][at] for at in column["at"]] for column in costs["columns"]]
    first = next(row for row in elements.rows if len(row) > 9 and row[0] in ("failed", "timeout"))
    assert [cells[0] for cells in shown] == first
    assert len(costs["ids"]) == sum(record["kind"] == "cost" for record in every_record())
    seconds = next(column for column in costs["columns"] if column["title"] == "time, median")
    keys = {seconds["texts"][i]: key for i, key in enumerate(seconds["keys"])}
    assert keys["1.00 ms"] == pytest.approx(1e-3)
    assert keys["–"] is None


@pytest.mark.usefixtures("no_figures")
def test_a_large_sweep_has_its_first_rows_in_the_page_and_all_in_the_data():
    made = [cost_record(channels=width) for width in range(6, 455)]
    page = render([*made, failed_record("so it goes", channels=5)])
    elements = Elements(page)
    rows = [a["id"] for tag, a in elements.tags if tag == "tr" and "id" in a]
    assert len(rows) == STATIC_ROWS
    assert "so it goes" in next(row for row in elements.rows if len(row) > 9 and row[0] == "failed")
    assert len(json.loads(unpacked(page, "costs-source"))["ids"]) == 450
    assert f"the first {STATIC_ROWS} of 450 are shown" in page


def test_every_record_has_a_row_and_failures_come_first(elements):
    made = every_record()
    anchors = [a["id"] for tag, a in elements.tags if tag == "tr" and "id" in a]
    assert len(anchors) == len(set(anchors)) == sum(record["kind"] != "twin" for record in made)
    first = next(row for row in elements.rows if len(row) > 9 and row[0] in ("failed", "timeout"))
    records = elements.rows[elements.rows.index(first) :]
    assert [row[0] for row in records[:3]] == ["failed", "timeout", "ok"]
    assert "<script>alert(1)</script> & more" in records[0]
    assert "no answer within 60 s" in records[1]


def test_links_inside_the_page_have_targets_and_ids_are_unique(elements):
    ids = [a["id"] for _, a in elements.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = {a["href"][1:] for tag, a in elements.tags if tag == "a" and a["href"].startswith("#")}
    assert targets <= set(ids)
    assert any(target.startswith("cost-") for target in targets)


def test_headings_descend_one_level_at_a_time(elements):
    levels = [int(tag[1]) for tag, _ in elements.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert ("html", {"lang": "en"}) in elements.tags


def test_what_needs_scripts_is_hidden_without_them(elements):
    needy = [a for _, a in elements.tags if "needs-script" in a.get("class", "")]
    assert len(needy) > 3
    assert all("hidden" in attributes for attributes in needy)


def test_downloads_hold_what_was_measured(elements):
    made = every_record()
    links = [a for _, a in elements.tags if a.get("download", "").endswith(".gz") and "base64," in a["href"]]
    files = {a["download"].removesuffix(".gz"): a["href"].split("base64,")[1] for a in links}
    text = {name: gzip.decompress(base64.b64decode(data)).decode() for name, data in files.items()}
    assert [json.loads(line) for line in text["records.jsonl"].splitlines()] == made
    costs = pd.read_csv(io.StringIO(text["costs.csv"]))
    assert costs["seconds"].notna().sum() == sum(r["kind"] == "cost" and r["status"] == "ok" for r in made)
    assert {len(medians.split()) for medians in costs["round_medians"].dropna()} == {3}
    assert costs["findings"].dropna().tolist() == ["drift: it <drifts>: warm up longer"]
    assert len(pd.read_csv(io.StringIO(text["twins.csv"]))) == 2
    assert len(pd.read_csv(io.StringIO(text["epochs.csv"]))) == 21 * 4
    assert len(pd.read_csv(io.StringIO(text["runs.csv"]))) == 21


def test_every_figure_brings_its_data(elements):
    figures = [a["id"] for tag, a in elements.tags if tag == "figure"]
    links = {a["download"]: a["href"] for _, a in elements.tags if ".csv" in a.get("download", "")}
    drawn = {f"{key}.csv" for key in figures} - {"m1-redundancy.csv"}
    contents = {name: base64.b64decode(uri.split("base64,")[1]) for name, uri in links.items()}
    files = {
        name.removesuffix(".gz"): gzip.decompress(content) if name.endswith(".gz") else content
        for name, content in contents.items()
    }
    assert drawn <= set(files)
    for name in drawn:
        assert len(pd.read_csv(io.BytesIO(files[name]))) > 0, name
    time = pd.read_csv(io.BytesIO(files["m1-time-forward.csv"]))
    assert time.query("variant == 'full' and resolution == 4 and along == 'resolution'")["seconds"].item() == 0.016


@pytest.mark.usefixtures("no_figures")
def test_files_that_are_too_large_are_named_and_not_there(monkeypatch):
    monkeypatch.setattr("reports.page.downloads.LARGEST_DOWNLOAD", 1000)
    page = render([cost_record(), cost_record(variant="plain")])
    assert 'download="records.jsonl.gz"' not in page
    assert "Too large to be inside of the page: records.jsonl" in page


@pytest.mark.usefixtures("no_figures")
def test_the_page_names_the_commands_of_the_program_that_made_it():
    records = [cost_record(), cost_record(variant="plain")]
    ours, installed = render(records), render(records, program=Program("gcnn-bench", "gcnn-bench report"))
    commands = {command: ours.count(f"<code>{command}") for command in ("python -m benchmarks", "python -m reports")}
    assert all(commands.values())
    assert "<code>python -m" not in installed
    assert installed.count("<code>gcnn-bench ") == sum(commands.values())
    assert "<code>gcnn-bench report</code>" in installed  # as all docs type it
    assert "<code>python -m reports</code>" in ours


@pytest.mark.usefixtures("no_figures")
def test_commits_that_measured_the_same_have_parts_of_their_own():
    def by(commit, when, **changes):
        record = cost_record(**changes)
        record["provenance"] |= {"commit": commit, "measured_at": when}
        return record

    before, new = "a" * 40, "b" * 40
    records = [by(before, "2029-01-01T00:00:00+00:00"), by(before, "2029-01-01T00:00:00+00:00", variant="plain")]
    page = render([*records, by(new, "2030-01-01T00:00:00+00:00")])
    options = re.findall(r'<option value="m\d">([^<]*)', page)
    assert [title.partition(", commit ")[2] for title in options] == ["", f"{new[:10]} only", f"{before[:10]} only"]
    said = re.findall(r'<p class="remark">([^<]*come from 2 commits[^<]*)</p>', page)
    assert said == ["The records come from 2 commits; each case is shown with its newest record."]
    # Commits that measured different cases get no parts of their own.
    apart = render([records[1], by(new, "2030-01-01T00:00:00+00:00")])
    assert '<option value="m1">' not in apart


def test_a_part_of_one_commit_has_training_runs_only_where_commits_share_runs():
    def by(commit, record):
        record["provenance"] |= {"commit": commit, "measured_at": f"2029-01-01T00:00:00+00:0{ord(commit) - ord('a')}"}
        return record

    runs = [by(commit, training_record("full", 8, seed, 0.9)) for seed, commit in enumerate("ab")]
    assert rival_commits([by("a", cost_record()), *runs]) == ([], set())
    shared = [by(commit, cost_record()) for commit in "ab"]
    assert rival_commits([*shared, *runs]) == (["b", "a"], {"cost", "twin"})
    again = by("b", training_record("full", 8, 0, 0.9))
    assert rival_commits([*runs, again]) == (["b", "a"], {"training"})


@pytest.mark.usefixtures("no_figures")  # `test_the_locale_changes_no_byte_of_a_page` compares figures, too
def test_the_same_records_give_the_same_page():
    assert render(every_record()) == render(every_record())


@pytest.mark.usefixtures("no_figures")
def test_machines_have_parts_of_their_own():
    there = cost_record(variant="plain")
    there["provenance"]["cpu"] = "Another <CPU>"
    page = render([cost_record(variant="plain"), cost_record(), there])
    assert re.findall(r'<option value="m\d">(.*?)</option>', page) == [
        "Made-up CPU, 2 cores",
        "Another &lt;CPU&gt;, 2 cores",
    ]
    assert "In short – Another &lt;CPU&gt;" in page
    assert "nothing is compared across them" in page


def test_ids_are_unique_over_all_parts_of_a_page(page_of_both):
    ids = re.findall(r'\bid="([^"]*)"', page_of_both)
    assert {"m1-time-forward", "m2-time-forward"} <= set(ids)
    assert len(ids) == len(set(ids))


def part_of(page, number):
    """Return the HTML of one part of a page."""
    return re.search(
        rf'<div class="part" id="m{number}">(.*?)\n</div>\n(?=<div class="part"|<section)', page, re.DOTALL
    )[1]


def test_a_processor_and_its_gpu_have_parts_that_say_what_they_say_alone(page_of_both, page):
    assert re.findall(r'<option value="m\d">(.*?)</option>', page_of_both) == [
        f"{GPU} in Made-up CPU, 2 cores",
        "Made-up CPU, 2 cores",
    ]
    with undrawn_panels():
        alone = {1: render(gpu_records()), 2: page}
    for number, other in alone.items():
        mine, only = part_of(page_of_both, number), part_of(other, 1)
        said, only_said = (re.findall(r'<li><b>.*?</li>|class="takeaway">.*?</p>', html) for html in (mine, only))
        assert len(said) > 20
        assert [re.sub("<details>.*", "", text) for text in said] == [re.sub("<details>.*", "", t) for t in only_said]


@pytest.mark.usefixtures("no_figures")
def test_two_machines_with_gpus_have_parts_of_their_own():
    here = [cost_record(variant=variant) for variant in ("plain", "full")]
    there = [on_gpu(record) for record in here]
    for record in there:
        record["provenance"] |= {"cpu": "Another CPU", "cores": 64}
    page = render([*here, *map(on_gpu, here), *there])
    options = re.findall(r'<option value="m\d">(.*?)</option>', page)
    assert options == [f"{GPU} in Made-up CPU, 2 cores", f"{GPU} in Another CPU, 64 cores", "Made-up CPU, 2 cores"]
    assert "Results of 3 devices" in page
    assert "No training run has finished here" in part_of(page, 2)
    assert "python -m benchmarks train --device cuda" in part_of(page, 2)


@pytest.mark.usefixtures("no_figures")
def test_dirty_checkout_and_several_commits_are_said():
    dirty = cost_record(variant="full")
    dirty["provenance"] |= {"dirty": True, "commit": "fedcba9876543210"}
    page = render([cost_record(), dirty])
    assert "uncommitted changes" in page
    assert "from 2 commits" in page
    assert "uncommitted changes" not in render([cost_record()])


def findings(record, *kinds):
    found = [{"kind": kind, "detail": "so", "remedy": "wait"} for kind in kinds]
    return {**record, "noise": {"verdict": "noisy", "findings": found}}


@pytest.mark.usefixtures("no_figures")
def test_the_first_screen_and_the_noise_table_count_the_same_records():
    made = [findings(cost_record(batch_size=n), "oversubscribed") for n in (1, 2)]
    made += [findings(cost_record(batch_size=3), "oversubscribed", "too_few_samples")]
    made += [findings(cost_record(layer="resnet", threads=2), "too_few_samples"), cost_record()]
    page = render(made)
    [remark] = [text for text in re.findall(r'<p class="remark">(.*?)</p>', page) if "called noisy" in text]
    assert "4 of 5 cost records are called noisy: 3 because of the machine (of these 3 oversubscribed:" in remark
    assert "1 for too few samples alone (networks on 2 threads)" in remark
    assert [row[:2] for row in Elements(page).rows if row[:1] == ["oversubscribed"]] == [["oversubscribed", "3"]]


@pytest.mark.usefixtures("no_figures")
def test_training_runs_on_a_busy_machine_are_counted_apart_and_their_own_load_is_named():
    made = [training_record("full", 8, seed, 0.9) for seed in range(3)]
    for record, load in zip(made, (0.4, 2.4, 2.6), strict=True):  # two cores; half a process is the run's parent
        record["provenance"]["load_after"] = load
    made[1]["provenance"] |= {"load_before": 3.1, "load_between": 1.2}  # something else had just ended
    page = render(made)
    assert "1 of 3 training runs ran at a load average of more than the number of cores + 0.5" in page
    assert "cost records are called noisy" not in page


@pytest.mark.usefixtures("no_figures")
def test_a_crash_of_our_own_code_is_called_a_fault_of_the_suite():
    ours, theirs = cost_record(), cost_record(implementation="my.layers:Mine", variant="custom")
    for record in (ours, theirs):
        record["missing"] = {"stages": "TypeError: f() takes 2 positional arguments but 3 were given"}
    rows = Elements(render([ours, theirs])).rows
    reasons = [row[1] for row in rows if row[:1] == ["no stages"]]
    assert sorted(reasons) == [
        "TypeError: f() takes 2 positional arguments but 3 were given",
        "failed at commit 0123456789 by a fault of the suite itself (TypeError)",
    ]


def test_figures_without_anything_to_show_have_no_heading_and_are_named_once():
    runs = [training_record("full", 8, seed, 0.9) for seed in range(2)]
    for record in runs:
        record |= {"equivariance_error_by_layer": None, "test_by_angle": []}
    page = render([cost_record(), *runs])
    assert "Where equivariance is lost, map by map" not in page
    assert "Accuracy by the angle of the test images" not in page
    missing = page[page.index('id="m1-missing"') :]
    assert missing.count("No trained network was tested by angle.") == 1
    assert missing.count("No error of the maps of trained networks was measured.") == 1


def test_map_errors_of_a_smaller_study_are_shown_where_the_largest_has_none():
    largest = [training_record("full", 8, seed, 0.9) for seed in range(3)]
    smaller = [training_record("full", 8, seed, 0.9) for seed in range(2)]
    for record in largest:
        record |= {"equivariance_error_by_layer": None, "test_by_angle": []}
    for record in smaller:
        record["id"] += "-other"
        record["run"] = {**record["run"], "dataset": "another set"}
    page = render([*largest, *smaller])
    assert "the last map of trained networks is off by" in page
    assert "No error of the maps" not in page
    assert "No trained network was tested by angle" not in page
    assert "of the runs on another set" in page


@pytest.mark.parametrize(("single", "rounds"), [(0, "3"), (1, "1–3")])
@pytest.mark.usefixtures("no_figures")
def test_the_method_says_how_many_rounds_there_are_and_speaks_of_single_processes_only_where_there_are_some(
    single, rounds
):
    page = render([cost_record(), *(old(cost_record(variant="full")) for _ in range(single))])
    assert f"rounds ({rounds} here)" in page
    assert ("come from one process" in page) == bool(single)
    assert "schema 1" not in page


def test_the_method_names_what_its_intervals_rest_on(page):
    """Without these numbers a reader cannot recompute an interval or the noise floor from the records."""
    [method] = re.findall(r'<section id="method">(.*?)</section>', page, re.DOTALL)
    words = " ".join(method.split())
    written = {4: "four", 5: "five", 0.25: "a quarter"}
    assert f"for fewer than {written[FEW_ROUNDS]} it includes the t interval" in words
    assert f"bootstraps for {written[BOOTSTRAP_SEEDS]} or more seeds" in words
    assert f"counts as {written[LEAST_RESAMPLED]} of that of the seeds or more" in words
    assert f"quantile for {1000 * FLOOR_ERROR_RATE:g} of 1000 cases" in words
    assert f"fewer than {written[ENOUGH_TWINS]} twins" in words


@pytest.mark.usefixtures("no_figures")
def test_reasons_are_said_with_what_would_help():
    counterless = {**cost_record(), "energy": {"reason": "no <counter>"}}
    skipped = failed_record("needs about 9.0 GiB", status="skipped", channels=64)
    page = render([noisy(cost_record(variant="full")), counterless, skipped])
    rows = Elements(page).rows
    assert ["drift", "1", "it <drifts>", "warm up longer"] in rows
    assert ["no energy", "no <counter>", "separable", "1"] in rows
    assert ["skipped", "needs about 9.0 GiB", "separable", "1"] in rows
    assert "1 of 2 cost records is called noisy" in page  # the skipped one was not judged


def test_sections_without_anything_to_say_are_left_out(page):
    assert "m1-others" in page
    assert 'class="advisor' in page
    page = render([cost_record()])
    assert "m1-others" not in page
    assert "Nothing failed, nothing was skipped" in page
    assert "No training run has finished here" in page
    assert 'class="advisor' not in page
    assert "No layer was timed twice" in page


def test_peers_are_in_a_table_with_a_word(elements):
    rows = [row for row in elements.rows if row[:2] == ["torch", "full"]]
    assert ["same" in row for row in rows] == [True]


REFERENCE = sorted(path for path in (Path(reports.__file__).parent / "reference").iterdir() if path.is_dir())


@pytest.mark.usefixtures("no_figures")  # the page of all reference records has them
@pytest.mark.parametrize("directory", REFERENCE, ids=lambda directory: directory.name)
def test_reference_records_make_a_page(directory):
    records = RecordStore(directory).load()
    page, has_layers = render(records), any(r["kind"] == "cost" and r["case"]["layer"] == "conv" for r in records)
    of_layers = ["Cost", "At", "Saving"] if has_layers else []
    of_others = [] if has_layers else ["Other"]  # the main job's training is one study, with nothing beside
    sentences = ["Choice", "Direct", *of_others, *of_layers, "Gain"]
    assert re.findall(r"<li><b>(\w+)", page) == sentences


def test_all_reference_records_make_one_page():
    page = render([record for directory in REFERENCE for record in RecordStore(directory).load()])
    assert "<b>Saving:</b> one separable layer is" in page
    assert len(page) < 8e6


@pytest.mark.parametrize("status", ["failed", "killed", "timeout", "out_of_memory", "invalid", "interrupted"])
def test_a_report_of_one_failure(status):
    page = render([failed_record("so it goes", status=status)])
    assert f"1 {status.replace('_', ' ')}" in page
    assert "so it goes" in page


def test_missing_parts_of_records_are_missing_not_fatal():
    bare = {"schema": 1, "kind": "cost", "id": "x", "status": "ok"}
    assert "unknown processor" in render([bare, {**bare, "kind": "training", "id": "y"}])


def test_no_records_is_an_error():
    with pytest.raises(ValueError, match="no record"):
        render([])
