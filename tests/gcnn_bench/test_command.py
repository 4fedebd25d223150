"""Tests of ``gcnn-bench``: it finds the suite wherever it is called, and brings what the suite needs."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gcnn_bench.__main__ as entry

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def called(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Call the command in a folder, with a package there that has the name of one of ours."""
    (folder / "benchmarks").mkdir()
    (folder / "benchmarks/__init__.py").write_text("raise RuntimeError('the wrong package')")
    command = [sys.executable, "-m", "gcnn_bench", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_help_names_the_commands_of_both_packages_and_imports_neither(tmp_path: Path) -> None:
    done = called("--help", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: gcnn-bench ")
    assert {"sweep", "advise", "report", "completion"} <= {line.split()[0] for line in done.stdout.splitlines() if line}


def test_a_command_is_that_of_the_suite_although_the_folder_has_a_package_of_its_name(tmp_path: Path) -> None:
    done = called("list", "--variant", "full", "--resolution", "4", "--channels", "2", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "conv full SO2(4) C=2" in done.stdout


def test_report_alone_makes_the_page(tmp_path: Path) -> None:
    done = called("report", "--results", "nowhere", "--json", folder=tmp_path)
    assert (done.returncode, done.stdout.count("\n")) == (2, 1)
    assert done.stderr == "error: no results in nowhere; get some with `gcnn-bench sweep --profile quick`\n"


def test_in_a_checkout_the_suite_is_the_checkouts(monkeypatch, tmp_path: Path) -> None:
    assert entry.suite_folder() == ROOT
    monkeypatch.setattr(entry, "HERE", tmp_path)
    (tmp_path / "suite").mkdir()
    assert entry.suite_folder() == tmp_path / "suite"


def test_processes_of_the_command_find_the_suite_first(monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "mine")
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    monkeypatch.setattr(sys, "path", ["mine", str(ROOT), "theirs"])
    entry.use_suite()
    assert os.environ["PYTHONPATH"] == f"{ROOT}{os.pathsep}mine"
    assert os.environ["PYTHONSAFEPATH"] == "1"
    assert sys.path == [str(ROOT), "mine", "theirs"]


def test_the_extra_has_what_the_groups_for_measuring_and_for_reports_have() -> None:
    groups, extra = PROJECT["dependency-groups"], PROJECT["project"]["optional-dependencies"]["suite"]
    assert sorted(extra) == extra
    assert set(extra) == {*groups["measure"], *groups["report"], "shtab"}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_completion_knows_commands_options_and_names(shell: str, tmp_path: Path) -> None:
    pytest.importorskip("shtab")
    done = called("completion", shell, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert {"sweep", "report", "--resolution", "--max-mib", "SO2xRPlus", "rotated-mnist"} <= set(
        re.findall(r"[\w-]+", done.stdout)
    )


def test_a_suite_without_its_packages_says_how_to_get_them(monkeypatch, capsys) -> None:
    monkeypatch.setattr(entry, "use_suite", lambda: None)
    monkeypatch.setitem(sys.modules, "benchmarks.__main__", None)
    assert entry.main() == 2
    assert capsys.readouterr().err.endswith('is not installed; pip install "gcnn-impl[suite]"\n')
