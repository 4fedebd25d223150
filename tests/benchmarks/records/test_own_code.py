"""The hash of a user's code changes with the code, and with nothing else."""

from pathlib import Path

import pytest

from benchmarks.records.own_code import own_code


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_hash_of_a_module_changes_with_its_file_alone(folder: Path) -> None:
    (folder / "mine.py").write_text("raise ValueError  # is not imported")
    (folder / "another.py").write_text("")
    first = own_code(["mine:Layer"])
    (folder / "another.py").write_text("1")
    assert own_code(["mine:Layer"]) == first
    (folder / "mine.py").write_text("2")
    assert own_code(["mine:Layer"]).keys() == first.keys() == {"mine:Layer"}
    assert own_code(["mine:Layer"]) != first


@pytest.mark.parametrize("initial", [True, False])
def test_the_hash_of_a_module_in_a_package_changes_with_each_module_of_its_folder(folder: Path, initial: bool) -> None:
    inner = folder / "package" / "inner"
    inner.mkdir(parents=True)
    if initial:
        (folder / "package" / "__init__.py").write_text("")
    (inner / "layers.py").write_text("")
    hashes = [own_code(["package.inner.layers:Layer"])]
    for name, content in (("helper.py", "1"), ("helper.py", "2"), ("layers.py", "3")):
        (inner / name).write_text(content)
        hashes.append(own_code(["package.inner.layers:Layer"]))
    assert len({found["package.inner.layers:Layer"] for found in hashes}) == 4
    (inner / "notes.txt").write_text("")
    assert own_code(["package.inner.layers:Layer"]) == hashes[-1]


def test_modules_that_are_not_there_or_have_no_source_have_no_hash(folder: Path) -> None:
    (folder / "package").mkdir()
    assert own_code(["nowhere:Layer", "sys:Layer", "package.nothing:Layer"]) == {}
