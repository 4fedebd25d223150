"""A contributed folder has the records of one machine, whose numbers agree, and no name of a person or a host."""

import copy
import getpass
import json
import lzma
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.records.contribution import problems, problems_of, without_names
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from tests.benchmarks.training_records import training_record

ROOT = Path(__file__).parents[3]
PROVENANCE = {"cpu": "A CPU", "cores": 2, "gpu": None, "commit": "0123456789abcdef", "dirty": False}


def cost(**changes: Any) -> Record:
    rounds = [[1.0, 2.0, 3.0], [2.0, 2.5]]
    made = {"schema": 2, "kind": "cost", "id": "abc", "status": "ok", "message": "", "provenance": PROVENANCE}
    made["case"] = {"layer": "conv", "variant": "full"}
    seconds = {"rounds": rounds, "median": 2.0, "ci_low": 1.5, "ci_high": 2.5, "n": 5}
    return copy.deepcopy({**made, "seconds": seconds, **changes})


def run(**changes: Any) -> Record:
    return {**training_record([0.1, 0.7, 0.9]), "provenance": PROVENANCE, **changes}


def tampered_epoch() -> Record:
    record = run()
    return {**record, "best_epoch": record["epochs"][0]["epoch"]}


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "no record; allowed: at least one"),
        ([cost(), cost(id="d", provenance={**PROVENANCE, "cpu": "B"})], "records of 2 machines, A CPU, 2 cores; B, 2 "),
        ([cost(), cost(schema=1, id="old")], "1 of 2 records are not of schema 2, the first is old"),
        ([cost(provenance={**PROVENANCE, "commit": None})], "name no commit"),
        ([cost(provenance={**PROVENANCE, "commit": None, "dirty": None})], "set GCNN_COMMIT to the commit of"),
        ([cost(provenance={**PROVENANCE, "dirty": True})], "with uncommitted changes"),
        ([cost(message="no file /home/ann/data/x")], "contain a folder of an absolute path"),
        (
            [cost(seconds={**cost()["seconds"], "median": 1.9})],
            "have a median that is not that of their samples",
        ),
        ([cost(seconds={**cost()["seconds"], "rounds": []})], "lack what answers need"),
        ([tampered_epoch()], "have a best epoch that is not their best"),
        ([run(epochs=None)], "lack what answers need"),
        ([run(best_epoch=None)], "lack what answers need"),
        ([run(epochs=[{}])], "lack what answers need"),
        ([cost(case=None)], "do not say what was measured"),
        ([cost(kind="twin", case=None)], "do not say what was measured"),
        ([run(run=None, status="failed")], "do not say what was measured"),
        ([cost(provenance={**PROVENANCE, "host": "pc7"})], "a field 'provenance.host', which docs/records.md does not"),
        ([cost(seconds={**cost()["seconds"], "guess": 1.0})], "a field 'seconds.guess', which"),
        ([run(note="by Ann")], "a field 'note', which"),
    ],
)
def test_what_cannot_be_contributed(records: list[Record], message: str) -> None:
    [line] = problems_of(records)
    assert message in line


def test_records_whose_numbers_agree_can_be_contributed() -> None:
    failed = cost(status="failed", seconds=None, id="failed", message="no RAPL counter below /sys/class/powercap")
    assert problems_of([cost(), run(), failed]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cannot read /home/ann/data/MNIST", "cannot read …"),
        ("cannot read /home/bob/data/x.csv: it", "cannot read …/x.csv: it"),
        ("file:///home/bob/x.csv and /dev/shm/bob/x", "file://…/x.csv and …"),
        ("in /home/bob/My Secret Project/x.py", "in …/x.py"),
        ("/usr/home/bob/x and /usr/lib/x/y.so", "… and /usr/lib/x/y.so"),
        ("C:\\Users\\bob\\x.csv", "…"),
        ("ANN_lab.layers:Net, Annette", "…_lab.layers:Net, Annette"),
        ("pc7.example.org", "…"),
        ("below /sys/class/powercap: none", "below /sys/class/powercap: none"),
        ("see https://example.org/a/b", "see https://example.org/a/b"),
        ("ann's annotation on pc7", "…'s annotation on …"),
        ("a/b/c and 3/4", "a/b/c and 3/4"),
    ],
)
def test_names_and_folders_are_taken_out(text: str, expected: str) -> None:
    assert without_names({"a": [text]}, ["pc7.example.org", "ann", "pc7"]) == {"a": [expected]}
    assert without_names({text: 1}, ["pc7.example.org", "ann", "pc7"]) == {expected: 1}


@pytest.fixture
def measured(tmp_path: Path) -> Path:
    store = RecordStore(tmp_path / "results")
    store.append(cost(message="at /home/somebody/x"))
    store.append(run(warnings=[f"on {socket.gethostname()} of {getpass.getuser()}"]))
    return tmp_path / "results"


def contribute(measured: Path, *options: str) -> int:
    return main(["contribute", "--results", str(measured), "--to", str(measured.parent / "to"), *options])


def test_the_command_packs_what_its_own_check_accepts(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = {"study": {"data_root": "/home/somebody/data"}}
    (measured / "study-rotated-mnist-0123.json").write_text(json.dumps(study))
    assert contribute(measured, "--name", "a-cpu") == 0
    folder = measured.parent / "to" / "a-cpu"
    assert re.search(
        r"a-cpu: 2 records, \d+ KiB\n.*\n\| `a-cpu` \| A CPU, 2 cores \| 0123456 \|", capsys.readouterr().out
    )
    assert main(["contribute", "--check", str(folder)]) == 0
    assert "somebody" not in (folder / "study-rotated-mnist-0123.json").read_text()
    text = lzma.decompress((folder / "records.jsonl.xz").read_bytes()).decode()
    assert "somebody" not in text
    stored = [{**record} for record in RecordStore(measured).load()]
    assert [record["id"] for record in RecordStore(folder).load()] == [record["id"] for record in stored]
    assert contribute(measured, "--name", "a-cpu") == 2
    assert "is there; allowed: another --name" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "a/b", "..", "/x"])
def test_a_name_that_is_no_folder_is_refused(name: str, measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert contribute(measured, "--name", name) == 2
    assert "is not allowed; allowed: the name of a folder" in capsys.readouterr().err


def replaced(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "records.jsonl.xz"
        text = lzma.decompress(path.read_bytes()).decode()
        assert old in text
        path.write_bytes(lzma.compress(text.replace(old, new).encode()))

    return change


def cut(folder: Path) -> None:
    path = folder / "records.jsonl.xz"
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replaced('"median":2.0', '"median":1.5'), "have a median that is not that of their samples"),
        (replaced('"kind":"cost"', '"kind":"price"'), "unknown kind 'price'"),
        (replaced('"schema":2,"kind":"cost"', '"schema":3,"kind":"cost"'), "unknown schema 3"),
        (replaced('"cpu":"A CPU"', '"cpu":"A CPU","cpu_quota":1.5'), ""),
        (cut, "the packed file is damaged"),
    ],
)
def test_a_folder_that_was_changed_is_refused(
    change: Callable[[Path], None], message: str, measured: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert contribute(measured, "--name", "a-cpu") == 0
    folder = measured.parent / "to" / "a-cpu"
    change(folder)
    capsys.readouterr()
    status = main(["contribute", "--check", str(folder)])
    err = capsys.readouterr().err
    assert (status, err == "") == ((2, False) if message else (0, True))
    assert message in err


@pytest.mark.parametrize("accuracies", [[0.8, 0.6, 0.7], [0.5, 0.5]])
def test_training_that_does_not_help_can_be_contributed(accuracies: list[float]) -> None:
    best = 1 + accuracies[1:].index(max(accuracies[1:]))
    record = {**training_record(accuracies), "provenance": PROVENANCE}
    assert problems_of([{**record, "best_epoch": best}]) == []
    [line] = problems_of([{**record, "best_epoch": 0}])
    assert "have a best epoch that is not their best" in line


def test_a_check_says_what_it_checked(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert contribute(measured, "--name", "a-cpu") == 0
    folder, readme = measured.parent / "to" / "a-cpu", measured.parent / "to" / "README.md"
    readme.write_text("what is here")
    capsys.readouterr()
    assert main(["contribute", "--check", str(folder), str(readme)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{folder}: nothing is wrong"]
    assert main(["contribute", "--check", str(readme)]) == 2
    assert "README.md is no folder; allowed: " in capsys.readouterr().err


def test_results_of_another_schema_are_refused_in_one_short_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "records.jsonl").write_text((json.dumps(cost(schema=9)) + "\n") * 20)
    assert main(["contribute", "--results", str(tmp_path), "--name", "a-cpu", "--to", str(tmp_path)]) == 2
    assert main(["contribute", "--check", str(tmp_path)]) == 2
    for line in capsys.readouterr().err.splitlines():
        assert line.endswith("unknown schema 9; allowed: 1, 2); and 19 more lines")


def test_a_missing_name_is_said(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert contribute(measured) == 2
    assert "--name is missing; allowed: " in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contribute", "--check", str(tmp_path / "typo")]) == 2
    assert "typo has no records.jsonl or records.jsonl.xz" in capsys.readouterr().err


def test_a_study_with_a_path_is_refused(measured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert contribute(measured, "--name", "a-cpu") == 0
    folder = measured.parent / "to" / "a-cpu"
    (folder / "study-x-0.json").write_text(json.dumps({"study": {"data_root": "/home/somebody/data"}}))
    assert main(["contribute", "--check", str(folder)]) == 2
    assert "study-x-0.json contains a folder of an absolute path" in capsys.readouterr().err


def test_every_committed_folder_passes_the_check() -> None:
    folders = [path for path in (ROOT / "reports/reference").iterdir() if path.is_dir()]
    assert folders
    assert [line for folder in folders for line in problems(folder)] == []
