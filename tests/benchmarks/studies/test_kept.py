"""Finished studies are read from their folders; their pages and performance profiles are made from the records."""

import lzma
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.answers.made_lines import END, begin
from benchmarks.commands.studies import COMMAND
from benchmarks.records.record import Record
from benchmarks.records.store import RecordStore
from benchmarks.studies.decisions import decisions_path, save_decisions
from benchmarks.studies.kept import kept_studies
from benchmarks.studies.performance_profiles import problems_of, profile_lines
from benchmarks.studies.results import StudyResults
from benchmarks.studies.study import Study
from tests.benchmarks.studies.made_up_study import STUDY, results_of

SMALL = replace(STUDY, kinds=("plain", "plain+", "separable"), resolutions=(8,), matches=("parameters",))


def results(study: Study = SMALL, separable: float = 0.9) -> StudyResults:
    return results_of(lambda contender: separable if contender.variant == "separable" else 0.8, study=study)


def keep(folder: Path, *parts: StudyResults) -> Path:
    """Write studies into a folder as the command does."""
    for part in parts:
        save_decisions(part.decisions, decisions_path(folder, "rotated-digits", part.decisions.study))
        records: list[Record] = [record for found in part.records.values() for record in found]
        for record in records:
            RecordStore(folder).append(record)
    return folder


def test_a_study_comes_back_from_its_folder_packed_or_not(tmp_path: Path) -> None:
    whole = results()
    keep(tmp_path, whole)
    for _ in range(2):
        ((name, (part,)),) = kept_studies([tmp_path]).items()
        assert name == "rotated-digits"
        assert part.decisions.study == SMALL
        assert part.accuracies("parameters", SMALL.reference) == whole.accuracies("parameters", SMALL.reference)
        file = tmp_path / "records.jsonl"
        if file.exists():
            (tmp_path / "records.jsonl.xz").write_bytes(lzma.compress(file.read_bytes()))
            file.unlink()


def test_parts_of_a_study_are_in_the_order_of_their_sizes(tmp_path: Path) -> None:
    keep(tmp_path, *(results(replace(SMALL, train_limit=size)) for size in (1000, 100)))
    (parts,) = kept_studies([tmp_path]).values()
    assert [part.decisions.study.train_limit for part in parts] == [100, 1000]


def test_another_scale_makes_another_study(tmp_path: Path) -> None:
    keep(tmp_path, results(), results(replace(SMALL, kinds=("plain", "separable"))), results(replace(SMALL, seeds=4)))
    found = kept_studies([tmp_path])
    assert set(found) == {"rotated-digits", "rotated-digits-2", "rotated-digits-3"}
    assert all(len(parts) == 1 for parts in found.values())


def test_a_study_that_has_not_begun_is_left_out(tmp_path: Path) -> None:
    planned = replace(results().decisions, rates={})
    save_decisions(planned, decisions_path(tmp_path, "rotated-digits", SMALL))
    assert kept_studies([tmp_path]) == {}


def test_folders_without_a_study_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no study in .*; allowed: folders of `python -m benchmarks study`"):
        kept_studies([tmp_path])
    with pytest.raises(ValueError, match=r"no study in .*/typo \(there is no such folder or file\); allowed: "):
        kept_studies([tmp_path / "typo"])
    (other := tmp_path / "other").mkdir()
    assert list(kept_studies([other, keep(tmp_path / "kept", results())])) == ["rotated-digits"]
    (tmp_path / "study-a-b.json").write_text('{"study": []}')
    with pytest.raises(ValueError, match=r"study-a-b\.json holds no study"):
        kept_studies([tmp_path])


def test_a_profile_counts_how_often_a_contender_is_within_a_factor_of_the_best() -> None:
    lines = profile_lines([{"a": 0.1, "b": 0.11}, {"a": 0.1, "b": 0.05}, {"b": 0.2, "c": 0.5}])
    cells = {line.split()[0]: line.split()[1:6] for line in lines[1:4]}
    assert cells["a"] == ["50%", "50%", "50%", "50%", "100%"]
    assert cells["b"] == ["67%", "100%", "100%", "100%", "100%"]
    assert cells["c"] == ["0%", "0%", "0%", "0%", "0%"]
    assert [line.split()[0] for line in lines[1:4]] == ["b", "a", "c"]
    assert lines[-1].startswith("3 comparisons")


def test_one_comparison_gives_no_profile_and_a_perfect_network_divides_by_nothing() -> None:
    assert profile_lines([{"a": 0.1, "b": 0.2}]) == []
    assert "inf" not in "\n".join(profile_lines([{"a": 0.0, "b": 0.2}, {"a": 0.0, "b": 0.0}]))


def test_contenders_that_lack_seeds_are_not_compared() -> None:
    whole = results(replace(SMALL, matches=("parameters", "time")))
    assert [sorted(problem) for problem in problems_of([whole])] == [
        ["plain", "plain + rotations", "separable SE(2) |H|=8"]
    ] * 2
    key = ("parameters", SMALL.reference)
    fewer = replace(whole, records={**whole.records, key: whole.records[key][:3]})
    assert sorted(problems_of([fewer])[0]) == ["plain", "plain + rotations"]


def test_the_command_prints_or_writes_a_page_for_each_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, pages = keep(tmp_path / "kept", *(results(replace(SMALL, train_limit=size)) for size in (10, 20))), tmp_path
    assert main(["studies", "--results", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "## test accuracy by number of train images" in printed
    assert "# all-studies" in printed
    assert main(["studies", "--results", str(folder), "--write", str(pages / "docs")]) == 0
    assert {path.name for path in (pages / "docs").iterdir()} == {"rotated-digits.md", "all-studies.md"}
    page = (pages / "docs/rotated-digits.md").read_text()
    assert page.startswith("# rotated-digits\n\n`python -m benchmarks studies --write` makes this page")
    assert "90.0 [" in page


def test_pages_are_filled_between_their_comments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, page = keep(tmp_path / "kept", results()), tmp_path / "README.md"
    command = ["studies", "--results", str(folder), "--fill", str(page)]
    page.write_text(f"before\n{begin(COMMAND)}\nold\n{END}\nafter\n")
    assert main(command) == 2
    assert "--fill needs --write" in capsys.readouterr().err
    assert main([*command, "--write", str(tmp_path / "pages")]) == 0
    text = page.read_text()
    assert text.startswith(f"before\n{begin(COMMAND)}\n\n**rotated-digits**: ")
    assert "(pages/rotated-digits.md)" in text
    assert text.endswith(f"\n{END}\nafter\n")
    assert "old" not in text
