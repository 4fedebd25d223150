"""The command ``profile``: which case it chooses, what it refuses, and what it writes."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch

from benchmarks.__main__ import main, parser
from benchmarks.cases.case import Case
from benchmarks.commands.options import chosen_case
from benchmarks.commands.profile import other_case, other_side
from benchmarks.profiling import collect
from benchmarks.profiling.profile import read_profile
from benchmarks.profiling.tasks import Task
from benchmarks.profiling.worker import Answers
from benchmarks.records.outcome import Outcome
from benchmarks.records.provenance import ROOT, git_state

SMALL = ["--channels", "2", "--resolution", "4", "--batch-size", "2", "--image-size", "8", "--threads", "1"]
QUICK = ["--rounds", "3", "--seconds", "0.01", "--no-check", "--top", "3"]


def chosen(*options: str) -> Case:
    return chosen_case(parser("profile").parse_args(["profile", *options]), "conv")


class HereServer:
    """Answers the tasks of a ``Server`` in this process."""

    places: ClassVar[list[Path]] = []

    def __init__(self, place: Path, timeout: float, module: str) -> None:
        self.places.append(place)
        self.answers = Answers()
        self.process = SimpleNamespace(pid=os.getpid())
        assert Answers.__module__ == module

    def __enter__(self) -> "HereServer":
        return self

    def __exit__(self, *_: object) -> None:
        """End nothing."""

    def check(self, side: str) -> None:
        """The package is that of this process."""

    def ask(self, task: Task) -> Any:
        threads = torch.get_num_threads()
        try:
            return self.answers(task)
        finally:
            torch.set_num_threads(threads)


@pytest.fixture
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer the tasks of the command's processes here, and do not measure the machine's ceilings."""
    ceilings = Outcome("ok", "", {"matrix_ceiling": 1e10, "memory_ceiling": 1e10})
    monkeypatch.setattr(collect, "run_isolated", lambda *_, **__: ceilings)
    monkeypatch.setattr(collect, "Server", HereServer)
    monkeypatch.setattr(collect, "share_a_core", lambda *_: None)  # it would bind the process of the tests
    HereServer.places.clear()


def test_without_options_the_case_is_the_base_point() -> None:
    case = chosen("--threads", "1")
    assert case == Case(threads=1)


def test_axes_networks_and_layers_of_ones_own_are_chosen() -> None:
    assert chosen("--variant", "full", "--direction", "training_step").direction == "training_step"
    assert chosen("--layer", "resnet").batch_size == 64
    own = chosen("--layer", "examples.own_layer:P4Conv2d", "--resolution", "4")
    assert (own.implementation, own.resolution, own.variant) == ("examples.own_layer:P4Conv2d", 4, "custom")
    assert chosen("--network", "examples.own_network:network").layer == "network"
    assert chosen("--variant", "plain").group == "trivial"


def test_several_cases_are_refused_with_what_to_narrow() -> None:
    with pytest.raises(ValueError, match="choose 4 cases; allowed: one case, so give one value of ") as error:
        chosen("--variant", "full", "separable", "--resolution", "4", "8")
    assert "--variant full separable, --resolution 4 8" in str(error.value)


def test_another_case_differs_on_the_given_axes_alone() -> None:
    case = Case(threads=1, channels=4)
    assert other_case(case, "variant=full") == Case(threads=1, channels=4, variant="full")
    assert other_case(case, "direction=training_step,batch-size=2").batch_size == 2
    assert other_case(case, "variant=plain").group == "trivial"
    own = other_case(Case(implementation="a:B", variant="custom"), "layer=a:C")
    assert own == Case(implementation="a:C", variant="custom")
    assert other_case(own, "variant=full,channels=4") == Case(variant="full", channels=4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "width=3",
            "'width=3' is not allowed; allowed: a commit, a profile.json or its folder, or AXIS=VALUE of layer",
        ),
        ("channels=4,x", "'x' is not allowed; allowed: a commit, a profile.json or its folder, or AXIS="),
        ("channels=many", "channels 'many' is not allowed; allowed: integers"),
        ("variant=fulll", "did you mean full"),
    ],
)
def test_a_wrong_other_case_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        other_case(Case(), text)


def test_what_is_no_case_is_a_commit(tmp_path: Path) -> None:
    side = other_side(Case(), tmp_path, "HEAD")
    assert (side.case, len(side.revision)) == (Case(), 40)
    assert side.text == f"{Case().label}, commit {side.revision[:10]}"
    with pytest.raises(ValueError, match=r"^'nowhere.json' is neither a profile nor a commit.*; allowed: a commit, a "):
        other_side(Case(), tmp_path, "nowhere.json")


@pytest.mark.parametrize(
    "options",
    [
        ["--top", "0"],
        ["--rounds", "0"],
        ["--seconds", "0"],
        ["--variant", "fulll"],
        ["--variant", "full", "separable"],
        ["--against", "nowhere/profile.json"],
        ["--against", "nowhere"],
    ],
)
def test_a_wrong_request_ends_with_status_2_and_one_line(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.usefixtures("_in_this_process")
def test_a_profile_writes_its_files_and_prints_few_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "mine"
    options = [*SMALL, *QUICK, "--direction", "training_step", "--results", str(tmp_path)]
    assert main(["profile", *options, "--output", str(output)]) == 0
    files = ("flame.svg", "memory.svg", "profile.json", "tables.json", "trace.pt.trace.json")
    assert {path.name for path in output.iterdir()} == {*files}
    printed = capsys.readouterr().out
    assert printed.endswith(f"\nsee {output}: {', '.join(files)}\n")
    assert printed.count("\n") <= 25
    assert "operators are" in printed
    tables = json.loads((output / "tables.json").read_text(), parse_constant=pytest.fail)
    assert {row["phase"] for row in tables["modules"]} >= {"forward", "backward", "optimiser"}
    assert main(["profile", *options, "--against", str(output)]) == 0
    printed = capsys.readouterr().out
    assert printed.index("a: conv separable") < printed.index("b: conv separable")
    (again,) = (tmp_path / "profile").iterdir()
    assert printed.endswith(f"\nsee {again}: {', '.join(files)}, against.json\n")
    assert json.loads((again / "against.json").read_text(), parse_constant=pytest.fail)["operators"]


@pytest.mark.usefixtures("_in_this_process")
def test_another_variant_is_profiled_in_turns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", *SMALL, *QUICK, "--results", str(tmp_path), "--against", "variant=full"]) == 0
    printed = capsys.readouterr().out
    assert "b: conv full" in printed
    assert "the pass takes" in printed
    (other,) = tmp_path.glob("profile/*/against/profile.json")
    assert printed.endswith(f"; in {other.parent} those of the other side\n")


@pytest.mark.usefixtures("_in_this_process")
def test_a_commit_is_the_earlier_side_with_its_own_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "mine"
    options = [*SMALL, *QUICK, "--results", str(tmp_path), "--output", str(output)]
    assert main(["profile", *options, "--against", "HEAD"]) == 0
    printed = capsys.readouterr().out
    head = git_state(ROOT)[0]
    assert f"a: {read_profile(output).label}, commit {head[:10]}, " in printed
    assert read_profile(output / "against").provenance["commit"] == head
    assert read_profile(output / "against").provenance["dirty"] is False
    assert "different times" not in printed
    mine, other = HereServer.places[:2]
    assert set(HereServer.places) == {mine, other}
    rounds = HereServer.places[2:]
    assert (rounds.count(mine), rounds.count(other)) == (3, 3)
