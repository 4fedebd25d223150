"""The file of known changes: entries with reasons, patterns that match, and one clear line for a wrong file."""

from pathlib import Path

import pytest

from benchmarks.records.known_changes import NOTHING_KNOWN, Known, project_known, read_known

RIGHT = """
[[threshold]]
benchmark = "TrainingStep"
at_least = 0.1
reason = "it allocates"

[[threshold]]
benchmark = "."
at_least = 0.05
reason = "all others"

[[ignore]]
commit = "0123abc"
benchmark = "track_peak_bytes.*full"
reason = "memory for speed"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "known.toml"
    path.write_text(text)
    return path


def test_the_first_entry_that_matches_counts(tmp_path: Path) -> None:
    known = read_known(written(tmp_path, RIGHT))
    limits = [known.threshold(name) for name in ("suites.bench_training.TrainingStep.time_step('cpu')", "other")]
    assert [(one.at_least, one.reason) for one in limits if one] == [
        (0.1, "it allocates"),
        (0.05, "all others"),
    ]
    hash_ = "0123abc" + 33 * "d"
    found = known.ignores(hash_, "Cost.track_peak_bytes('cpu', 'full')")
    assert found is not None
    assert found.reason == "memory for speed"
    assert known.ignores(hash_, "Cost.track_peak_bytes('cpu', 'plain')") is None
    assert known.ignores("1" * 40, "Cost.track_peak_bytes('cpu', 'full')") is None


def test_an_empty_file_knows_nothing(tmp_path: Path) -> None:
    assert read_known(written(tmp_path, "")) == NOTHING_KNOWN


def test_the_file_of_the_project_is_right() -> None:
    assert isinstance(project_known(), Known)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("[[threshold", "is not TOML: "),
        ("[[thresholds]]\nat_least = 1.0", "'thresholds' is not allowed; allowed: [[threshold]], [[ignore]]"),
        ("threshold = 3", "'threshold' is not a list of tables; allowed: [[threshold]]"),
        (
            "[[ignore]]\ncommit = '0123abc'\nbenchmark = 'a'",
            "[[ignore]] number 1: 'reason' is missing; allowed: commit, ",
        ),
        ("[[ignore]]\ncommit = '0123abc'\nbenchmark = 'a'\nreason = ' '", "reason = ' ' is not allowed"),
        ("[[ignore]]\ncommit = 'main'\nbenchmark = 'a'\nreason = 'b'", "commit = 'main' is not allowed; allowed: 7 to"),
        ("[[ignore]]\ncommit = '0123abc'\nbenchmark = '('\nreason = 'b'", "benchmark = '(' is no regular expression"),
        (
            "[[threshold]]\nbenchmark = 'a'\nat_least = 10\nreason = 'b'",
            "at_least = 10 is not allowed; allowed: a frac",
        ),
        ("[[threshold]]\nbenchmark = 'a'\nat_last = 0.1\nreason = 'b'", "number 1: 'at_last' is not allowed"),
    ],
)
def test_a_wrong_file_is_one_line_that_names_it(tmp_path: Path, wrong: str, message: str) -> None:
    path = written(tmp_path, wrong)
    with pytest.raises(ValueError, match="known.toml") as caught:
        read_known(path)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert message in text
    assert "\n" not in text
