"""The command about the history of a suite: what it prints, its exit statuses, and the page of landmark commits."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.suites.history import main, published
from benchmarks.suites.landmarks import read_landmarks

PARAMETERS = [["'cpu'"], ["'plain'", "'full'"], ["8"], ["8", "16", "128"], ["1"]]


def write(folder: Path, commit: str, number: int, factor: float, plain: float = 1.0, seed: int = 0) -> None:
    """Write a file as asv does, with three controls and three benchmarks of a kind."""
    draw = np.random.default_rng([seed, number])
    medians = [level * math.exp(0.01 * draw.normal()) for level in [plain] * 3 + [factor] * 3]
    content = {
        "commit_hash": commit,
        "date": number,
        "result_columns": ["result", "params", "version", "started_at"],
        "results": {"suites.bench_layers.Forward.time_pass": [medians, PARAMETERS, "1", 5000]},
    }
    path = folder / "some-cpu" / f"{commit[:8]}-env.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def history(folder: Path, *factors: float, plain: tuple[float, ...] | None = None) -> list[str]:
    for number, factor in enumerate(factors):
        write(folder, f"{number:08x}{'0' * 32}", number, factor, plain[number] if plain else 1.0)
    return ["asv", str(folder)]


LEVEL = [1.0] * 10
KNOWN = '[[ignore]]\ncommit = "0000000a"\nbenchmark = "full"\nreason = "memory for speed"\n'


@pytest.mark.parametrize(
    ("factors", "status", "row"),
    [
        ([*LEVEL, *LEVEL], 0, "Nothing changed."),
        ([*LEVEL, *[1.2] * 10], 1, "### 00000009..0000000a\n\n| what |"),
        ([*LEVEL, *[0.8] * 10], 0, "### 00000009..0000000a\n\n| what |"),
    ],
    ids=["unchanged", "slower", "faster"],
)
def test_the_exit_status_is_that_of_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], factors: list[float], status: int, row: str
) -> None:
    assert main(history(tmp_path, *factors)) == status
    printed = capsys.readouterr().out
    assert row in printed
    assert ("| 3 of 3: × " in printed) == (factors[-1] != 1.0)
    assert "| time of conv full forward | 20 | " in printed
    assert printed.splitlines()[-1] == {0: "fine", 1: "regressed"}[status]


def test_a_small_change_is_undecided_and_the_table_says_what_would_decide_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = history(tmp_path, *LEVEL, *LEVEL)
    assert main([*arguments, "--at-least", "0.5"]) == 3
    heading, _, row, *_ = (line for line in capsys.readouterr().out.splitlines() if line.startswith("|"))
    assert heading.endswith("| values to find 0.5% |")
    assert int(row.split("|")[-2]) > 100


@pytest.mark.parametrize(
    ("values", "where"),
    [
        (1, "1 commit, 0 benchmarks with results at two or more"),
        (2, "2 commits, 3 benchmarks with results at both"),
        (7, "7 commits, 3 benchmarks with results at two or more"),
    ],
)
def test_a_history_too_short_for_a_change_has_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], values: int, where: str
) -> None:
    assert main(history(tmp_path, *[1.0] * values)) == 2
    printed = capsys.readouterr().out
    assert f"Measured: {where}; a series needs at least 8 values, so nothing can be judged." in printed
    assert "Nothing changed" not in printed
    assert printed.splitlines()[-1] == "could not compare"


def test_benchmarks_that_are_too_new_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = history(tmp_path, *LEVEL)
    path = max(tmp_path.glob("*/*.json"))
    content = json.loads(path.read_text())
    content["results"]["suites.bench_layers.Forward.time_new"] = [[1.0], [["'cpu'"]], "1", 5000]
    path.write_text(json.dumps(content))
    main(arguments)
    assert (
        "10 commits, 10 values of a series; 1 benchmark without at least 8 values, not judged"
        in capsys.readouterr().out
    )


def test_what_plain_convolutions_share_is_the_machines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slower = [*LEVEL, *[1.3] * 10]
    assert main(history(tmp_path, *slower, plain=tuple(slower))) == 0
    printed = capsys.readouterr().out
    assert "| plain convolutions, the controls | × 1." in printed
    assert "| time of conv full forward | ×" not in printed


def test_an_ignored_change_is_printed_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = tmp_path / "known.toml"
    known.write_text(KNOWN)
    assert main([*history(tmp_path / "asv", *LEVEL, *[1.2] * 10), "--known", str(known)]) == 0
    assert "ignored: memory for speed." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["asv", "nowhere"], "nowhere has no results of asv"),
        (["asv", ".", "--at-least", "0"], "--at-least 0 is not allowed; allowed: a percentage above 0"),
        (["asv", ".", "--known", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_cannot_be_judged_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_the_page_names_the_steps_of_landmarks(tmp_path: Path) -> None:
    landmarks = read_landmarks()[:10]
    for n in (1, 2, 3):
        for number, landmark in enumerate(landmarks):
            write(tmp_path / f"round-{n}", landmark.commit, number, 0.5 if number >= 6 else 1.0, seed=n)
    page = published(tmp_path)
    heading = f"### {landmarks[5].commit[:8]}..{landmarks[6].commit[:8]}"
    before, _, after = page.partition(f"\n{heading}\n\n{landmarks[6].reason}\n")
    assert "| time of conv full forward | × 0.5" in after
    assert "×" not in before
    assert main(["asv", str(tmp_path), "--write", str(tmp_path / "page.md")]) == 0
    assert (tmp_path / "page.md").read_text() == page
