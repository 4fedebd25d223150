"""Tests of what commands print for programs (``--json``), without remarks (``--quiet``), and as another program."""

import json
import lzma
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from benchmarks.__main__ import COMMANDS, main, parser
from benchmarks.profiling.attribution import Place
from benchmarks.running.signals import Interrupted
from benchmarks.studies.kept import read_decisions
from benchmarks.sweep.estimate import Survey
from benchmarks.sweep.sweep import Summary
from benchmarks.terminal.program import Program
from tests.benchmarks.commands.test_command_line import FAST, TINY
from tests.benchmarks.deployment.made_up import deployment
from tests.benchmarks.profiling.made_up import profile

STUDY = Path(__file__).parents[3] / "reports/reference/amd-epyc-2-cores-rotated-mnist"
# For each command its options, where R is an empty folder of results and S one with a study and all its records; and
# what its result has.
EVERY = {
    "list": ("--profile quick", {"cases", "profiles"}),
    "plan": (f"{' '.join(TINY)} --results R", {"cases", "seconds", "shares", "cuts", "skipped", "needs"}),
    "sweep": (f"{' '.join([*TINY, *FAST])} --results R", {"measured", "failed", "records"}),
    "compare": ("S S", {"verdict", "rows", "at_least"}),
    "train": ("--profile quick --results R", {"trained", "networks"}),
    "peers": ("--results R", {"contests", "floor"}),
    "study": ("rotated-mnist --no-inference --results S", {"trained", "parts"}),
    "studies": ("--results S", {"studies"}),
    "advise": ("--max-epoch-seconds 100 --results S", {"front", "limits", "decided_by"}),
    "break-even": ("--results S", {"groups"}),
    "profile": ("--no-check --results R", {"case", "folder", "pass", "operators", "modules", "against"}),
    "deploy": ("--results R", {"case", "folder", "imports", "forms"}),
    "contribute": (f"--check {STUDY}", {"problems", "checked"}),
    "answer": ("realised-speedup --results R", {"question", "answers"}),
}


def not_strict(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is not JSON")


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the one JSON object on stdout, and check that it stands on one line."""
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out, parse_constant=not_strict)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Return a function that splits options and puts in folders. Nothing that takes long is trained or measured."""
    stored = tmp_path / "S"
    stored.mkdir()
    (stored / "records.jsonl").write_bytes(lzma.decompress((STUDY / "records.jsonl.xz").read_bytes()))
    (kept,) = STUDY.glob("study-*.json")
    (stored / kept.name).write_text(kept.read_text())
    study = read_decisions(kept).study
    monkeypatch.setattr("benchmarks.commands.study.chosen_studies", lambda args: (study,))
    monkeypatch.setattr("benchmarks.commands.study.complete", lambda *_, **__: (0, 0))
    monkeypatch.setattr("benchmarks.commands.train.train_missing", lambda runs, *_, **__: (len(runs), 0))
    monkeypatch.setattr("benchmarks.commands.options.sweep", lambda *_, **__: None)
    monkeypatch.setattr("benchmarks.commands.sweep.sweep", lambda cases, *_, **__: Summary(len(cases), 0, 0))
    monkeypatch.setattr("benchmarks.commands.plan.survey", lambda cases, known: Survey({c.id: 1.0 for c in cases}, {}))
    made_up = profile({Place("forward", "", ("aten::add",)): (1.0, 1.0, 1.1)})
    monkeypatch.setattr("benchmarks.commands.profile.collect", lambda *_, **__: [made_up])
    monkeypatch.setattr("benchmarks.commands.deploy.deploy", lambda *_, **__: deployment())
    folders = {"S": str(stored), "R": str(tmp_path / "R")}
    return lambda options: [folders.get(word, word) for word in options.split()]


@pytest.mark.parametrize("command", EVERY)
def test_a_program_can_read_the_result_of_every_command(
    command: str, place: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    options, fields = EVERY[command]
    status = main([command, *place(options), "--json"])
    assert status in ((2,) if command == "compare" else (0, 1))  # the same records cannot be compared
    assert fields <= printed(capsys).keys()
    assert status == main([command, *place(options), "--quiet"])
    out, err = capsys.readouterr()
    assert err == ""
    assert not out.startswith("{")


def test_every_command_is_tried() -> None:
    assert EVERY.keys() == COMMANDS.keys()


def test_an_advice_for_programs_has_numbers(
    place: Callable[[str], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["advise", *place("--max-training-mib 1000 --results S"), "--json"]) == 0
    first = printed(capsys)["front"][0]
    assert 0.5 < first["accuracy"]["mean"] <= 1
    assert 0 < first["costs"]["training_mib"]["mean"] <= 1000
    assert main(["advise", *place("--max-training-mb 1000 --results S"), "--json"]) == 0  # the former name
    assert printed(capsys)["front"][0] == first


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("sweep --variant seperable", "unknown variant 'seperable'; did you mean separable? allowed: plain, "),
        ("sweep --resolutoin 4", "unrecognized arguments: --resolutoin 4; did you mean --resolution?; see "),
        ("swep", "did you mean sweep?"),
    ],
)
def test_an_error_is_json_too(arguments: str, error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments.split(), "--json", "--quiet"]) == 2
    out, err = capsys.readouterr()
    assert error in json.loads(out)["error"]
    assert err.startswith("error: ")


def test_an_interruption_is_json_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise Interrupted("3 kept")

    monkeypatch.setattr("benchmarks.commands.sweep.sweep", interrupted)
    assert main(["sweep", *TINY, "--json"]) == 130
    assert printed(capsys) == {"interrupted": "3 kept"}


def test_what_is_printed_on_the_way_does_not_mix_with_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def talks(args: object) -> list[Any]:
        print("on the way")
        print("a remark", file=sys.stderr)
        return []

    monkeypatch.setattr("benchmarks.commands.list.chosen_cases", talks)
    assert main(["list", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["cases"] == []
    assert err.splitlines() == ["on the way", "a remark"]
    assert main(["list", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_help_fits_into_the_terminal_and_keeps_names_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        shown = capsys.readouterr().out
        description = shown.split("\n\n")[1]  # below the usage
        assert max(map(len, description.splitlines())) <= 80
        assert not re.search(r"\w-$", shown, re.M)  # a name, a path or an address is not cut at its hyphen


def test_help_and_errors_name_the_program_that_was_called(capsys: pytest.CaptureFixture[str]) -> None:
    program = Program("gcnn-bench", "gcnn-bench report", "gcnn_bench")
    for command in ([], *([name] for name in COMMANDS)):
        with pytest.raises(SystemExit):
            main([*command, "--help"], program)
        shown = capsys.readouterr().out
        assert f"  gcnn-bench {' '.join(command)}".rstrip() in shown
        assert "-m benchmarks" not in shown
        assert "-m reports" not in shown
    assert main(["advise", "--results", "nowhere"], program) == 2
    assert capsys.readouterr().err.endswith("see gcnn-bench train\n")


@pytest.mark.parametrize("command", ["advise", "break-even"])
def test_an_answer_from_no_results_names_the_folder(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--results", str(tmp_path / "typo")]) == 2
    assert capsys.readouterr().err == (
        f"error: no results in {tmp_path / 'typo'} (there is no such folder or file); see python -m benchmarks train\n"
    )
    for file in ("b/records.jsonl", "a/records.jsonl.xz", "c/notes.txt"):
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).touch()
    assert main([command, "--results", str(tmp_path)]) == 2
    there = f"{tmp_path / 'a'}, {tmp_path / 'b'}"
    assert capsys.readouterr().err == f"error: no results in {tmp_path}; allowed: {there}\n"


@pytest.mark.parametrize("command", ["advise", "break-even", "studies", "contribute --name mine"])
def test_a_folder_of_results_that_is_missing_is_said_to_be(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*command.split(), "--results", str(tmp_path / "typo")]
    assert main(words + (["--to", str(tmp_path / "x")] if "contribute" in command else [])) == 2
    assert f"{tmp_path / 'typo'} (there is no such folder or file)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "work"),
    [
        ("profile --no-check --output F/x", "commands.profile.collect"),
        ("deploy --output F/x", "commands.deploy.deploy"),
        ("studies --write F/x", "commands.studies.kept_studies"),
        ("studies --write W --fill F/x", "commands.studies.kept_studies"),
        ("contribute --name x --to F", "commands.contribute.RecordStore"),
        ("train --profile quick --checkpoints F/x", "training.missing.outstanding"),
        ("train --profile quick --tensorboard F/x", "training.missing.outstanding"),
    ],
)
def test_an_unwritable_output_is_noticed_before_the_work(
    arguments: str, work: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_early(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("begun before the output was checked")

    monkeypatch.setattr(f"benchmarks.{work}", too_early)
    (tmp_path / "F").write_text("in the way")
    words = [word if word[0] not in "FW" else str(tmp_path / word) for word in arguments.split()]
    assert main([*words, *([] if words[0] == "studies" else ["--results", str(tmp_path / "R")])]) == 2
    assert capsys.readouterr().err.startswith(f"error: cannot write {tmp_path}/F/x: ")


def test_a_file_that_is_not_there_is_named_without_an_error_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["profile", "--against", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'profile.json'} is no profile: No such file or directory; "
        "allowed: a profile.json that this command wrote\n"
    )


def test_explanations_of_examples_stay_in_their_column() -> None:
    program = Program("gcnn-bench", "gcnn-bench report", "gcnn_bench")
    explained = (
        "  python -m benchmarks list   what\n  python -m reports           why\n                              because"
    )
    typed = program.as_typed(explained).splitlines()
    assert typed[:2] == ["  gcnn-bench list             what", "  gcnn-bench report           why"]
    places = {line.index(word) for line, word in zip(explained.splitlines(), ("what", "why", "because"), strict=True)}
    assert {line.index(word) for line, word in zip(typed, ("what", "why", "because"), strict=True)} == places
    assert program.as_typed("python -m benchmarks.evidence.validity") == "python -m benchmarks.evidence.validity"
    assert program.as_typed("torchrun -m benchmarks train") == "torchrun -m gcnn_bench train"


def test_the_whole_parser_has_the_options_of_every_command() -> None:
    whole = parser(None, whole=True)
    assert whole.parse_args(["sweep", "--resolution", "4"]).resolution == [4]
    assert whole.parse_args(["advise", "--max-mib", "4"]).max_mib == 4


def test_a_wrong_option_gets_the_present_name_and_never_a_former_one(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ("--max-training-mbs", "--max-trainings-mb", "--max-training-mbi"):
        assert main(["advise", wrong, "1"]) == 2
        assert "did you mean --max-training-mib?" in capsys.readouterr().err
