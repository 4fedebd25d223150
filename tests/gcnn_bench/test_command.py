"""Tests of ``gcnn-bench``: it finds the suite wherever it is called, and brings what the suite needs."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gcnn_bench.__main__ as entry
from benchmarks.cases.variants import NETWORK_VARIANTS

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
    assert done.stderr == (
        "error: no results in nowhere (there is no such folder or file); "
        "get some with `gcnn-bench sweep --profile quick`\n"
    )


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


# Asks the function of the script for what completes the last of the given words.
COMPLETE = """
source /dev/stdin
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_shtab_gcnn_bench gcnn-bench "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
echo "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> str:
    pytest.importorskip("shtab")
    return called("completion", "bash", folder=tmp_path_factory.mktemp("completion")).stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["sw"], ["sweep"]),
        (["report", "d"], ["diff"]),
        (["sweep", "--var"], ["--variant"]),
        (["report", "--res"], ["--results"]),
        (["report", "diff", "--jso"], ["--json"]),
        (["sweep", "--layer", ""], ["conv", "resnet", "allcnnc"]),
        (["sweep", "--variant", "full", "sep"], ["separable", "separable2d"]),
        (["sweep", "--profile", ""], ["quick", "standard", "full"]),
        (["train", "--profile", ""], ["quick", "standard", "paper"]),
        (["train", "--variant", ""], list(NETWORK_VARIANTS)),
        (["train", "--augmentation", "rot"], ["rotations", "rotations+scales"]),
        (["study", "--scale", ""], ["quick", "standard", "paper"]),
        (["study", "pose", "--kinds", "can"], ["canonical", "canonical+"]),
        (["study", "pose", "--match", ""], ["parameters", "macs", "time", "memory", "maps"]),
    ],
)
def test_bash_completes_what_the_command_takes(words: list[str], names: list[str], script: str) -> None:
    command = ["bash", "-c", COMPLETE, "bash", "gcnn-bench", *words]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=True)
    assert done.stdout.split() == names


def test_a_suite_without_its_packages_says_how_to_get_them(monkeypatch, capsys) -> None:
    monkeypatch.setattr(entry, "use_suite", lambda: None)
    monkeypatch.setitem(sys.modules, "benchmarks.__main__", None)
    assert entry.main() == 2
    assert capsys.readouterr().err.endswith('is not installed; pip install "gcnn-impl[suite]"\n')
