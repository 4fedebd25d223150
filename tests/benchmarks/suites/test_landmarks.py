"""Landmark commits: their file, the order of rounds, and what is kept of a result of asv."""

import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest
from asv.results import Results

from benchmarks.records.suite_results import read_asv, read_asv_rounds
from benchmarks.suites import landmarks
from benchmarks.suites.landmarks import Landmark, main, measure_all, order_of_round, read_landmarks, tidy

NAN = math.nan
RAW = {
    "commit_hash": "a" * 40,
    "env_name": "existing-py_home_somebody_python",
    "date": 5,
    "params": {
        "arch": "x",
        "cpu": "y",
        "machine": "host",
        "num_cpu": "2",
        "os": "Linux 1",
        "ram": "3",
        "python": "/home",
    },
    "python": "/home/somebody/python",
    "result_columns": ["result", "params", "version", "started_at", "stats_q_25", "stats_q_75", "samples"],
    "results": {
        "suites.bench_layers.Forward.time_pass": [
            [NAN, 0.123456789, NAN, NAN, None, NAN],
            [["'cpu'", "'cuda'"], ["8", "16", "128"]],
            "1",
            7000,
            [None, 0.12, None, None, None, None],
            [None, 0.13, None, None, None, None],
        ]
    },
    "durations": {"<build>": 1.0},
    "requirements": {},
    "env_vars": {},
    "version": 2,
}


def test_the_landmarks_are_commits_of_this_project_in_its_order() -> None:
    found = read_landmarks()
    assert len(found) >= 20
    assert len({one.commit for one in found}) == len(found)
    shallow = subprocess.run(["git", "rev-parse", "--is-shallow-repository"], capture_output=True, text=True).stdout
    if shallow.strip() != "false":
        pytest.skip("the checkout lacks old commits")
    order = subprocess.run(
        ["git", "rev-list", "--topo-order", "--reverse", "HEAD"], capture_output=True, text=True
    ).stdout
    places = [order.split().index(one.commit) for one in found]
    assert places == sorted(places)


@pytest.mark.parametrize("line", ["abc why", "a" * 40, f"{'a' * 40} ", f"{'A' * 40} why"])
def test_a_line_without_a_hash_and_a_reason_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "landmarks.txt"
    path.write_text(f"# a comment\n\n{line}\n")
    with pytest.raises(ValueError, match=r"landmarks.txt, line 3: .* is not allowed; allowed: 40 digits"):
        read_landmarks(path)


def test_each_round_measures_all_commits_in_an_order_of_its_own() -> None:
    orders = [order_of_round(20, number) for number in (1, 2, 3)]
    assert all(sorted(order) == list(range(20)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert order_of_round(20, 1) == orders[0]


def test_a_result_is_kept_without_names_and_points_that_were_skipped(tmp_path: Path) -> None:
    content = tidy(RAW, "some-cpu")
    text = json.dumps(content)
    assert not {"home", "somebody", "host"} & set(text.replace('"', " ").replace("/", " ").replace("_", " ").split())
    path = tmp_path / "some-cpu" / "aaaaaaaa-x.json"
    path.parent.mkdir()
    path.write_text(text)
    assert Results.load(str(path)).commit_hash == "a" * 40  # asv reads the file, too
    [commit] = read_asv(tmp_path)
    results = {name.partition("(")[2]: result.value for name, result in commit.results.items()}
    assert results == {"'cpu', 16)": 0.1235, "'cuda', 16)": None}  # the second one failed; the others were skipped


def test_what_was_measured_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = []

    def measure(landmark: Landmark, folder: Path, machine: str) -> None:
        if len(measured) == 3:
            raise KeyboardInterrupt
        measured.append((landmark.commit[0], folder.parent.name))
        folder.mkdir(parents=True, exist_ok=True)
        content: dict[str, Any] = {**tidy(RAW, machine), "commit_hash": landmark.commit}
        (folder / f"{landmark.commit[:8]}-env.json").write_text(json.dumps(content))

    monkeypatch.setattr(landmarks, "measure", measure)
    commits = [Landmark(digit * 40, "why") for digit in "abc"]
    with pytest.raises(KeyboardInterrupt):
        measure_all(commits, tmp_path, "some-cpu", 2)
    first, measured = measured, []
    measure_all(commits, tmp_path, "some-cpu", 2)
    assert sorted(first + measured) == [(digit, f"round-{n}") for digit in "abc" for n in (1, 2)]
    assert [commit.hash[0] for commit in read_asv_rounds(tmp_path)].count("a") == 2
    assert "round 2 of 2" in capsys.readouterr().out


def test_a_commit_that_cannot_be_measured_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(landmark: Landmark, folder: Path, machine: str) -> None:
        if landmark.commit[0] == "b":
            raise RuntimeError("asv measured nothing at bbbbbbbb: why")

    monkeypatch.setattr(landmarks, "measure", measure)
    commits = [Landmark(digit * 40, "why") for digit in "abc"]
    assert measure_all(commits, tmp_path, "some-cpu", 2) == 2
    printed = capsys.readouterr()
    assert printed.err.count("error: asv measured nothing at bbbbbbbb: why\n") == 2
    assert printed.out.count("\n") == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--machine", "a b"], "a machine's name has letters"),
        (["--machine", "a", "--rounds", "0"], "there is at least one round"),
        (["--machine", "a", "--only", "0000000"], "no landmark is 0000000; allowed: the commits in"),
    ],
)
def test_wrong_arguments_are_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
