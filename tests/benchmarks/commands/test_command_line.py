"""Tests of the command line: the error of a wrong request, and the results of a right one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import benchmarks.__main__ as command_line
from benchmarks.cases.case import Case
from benchmarks.cases.profiles import PROFILES, profile_cases
from benchmarks.records.store import RecordStore
from benchmarks.running.signals import Interrupted
from benchmarks.sweep.sweep import Summary

ROOT = Path(__file__).resolve().parents[3]
TINY = [
    *("--layer", "conv", "--variant", "plain", "--channels", "2", "--batch-size", "1", "--image-size", "8"),
    *("--kernel-size", "3", "--threads", "1"),
]
FAST = ["--seconds", "0.001", "--min-samples", "2", "--rounds", "2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("sweep --variant dense", "unknown variant 'dense'; allowed: plain, lifting, full, separable, gseparable"),
        ("sweep --resolution 0", "resolution 0 is not allowed; allowed: integers of at least 1"),
        ("sweep --kernel-size 4", "kernel_size 4 is even; allowed: odd integers of at least 1"),
        ("sweep --channels -8", "channels -8 is not allowed; allowed: integers of at least 1"),
        ("sweep --batch-size many", "argument --batch-size: invalid int value: 'many'; see python -m benchmarks sweep"),
        ("sweep --device tpu", "unknown device 'tpu'; allowed: cpu, cuda"),
        ("sweep --profile fast", "unknown profile 'fast'; allowed: quick, standard, full"),
        ("sweep --implementation jax", "unknown implementation 'jax'; allowed: gcnn_impl, torch, "),
        (
            "sweep --layer mine.Layer",
            "unknown layer 'mine.Layer'; did you mean mine:Layer? allowed: conv, resnet, allcnnc, package.module:",
        ),
        (
            "profile --layer mine.Layer",
            "unknown layer 'mine.Layer'; did you mean mine:Layer? allowed: conv, resnet, allcnnc, package.module:",
        ),
        (
            "sweep --layer network",
            "layer 'network' is a network of your own; allowed: --network package.module:",
        ),
        (
            "train --network mine.net",
            "unknown network 'mine.net'; did you mean mine:net? allowed: resnet, allcnnc, package.module:factory",
        ),
        ("sweep --dtype tf32", "no case is left: device 'cpu' does not go with dtype 'tf32'; allowed: cuda"),
        ("sweep --rounds 0", "rounds 0 is not allowed; allowed: integers of at least 1"),
        ("sweep --seconds 0", "seconds 0.0 is not allowed; allowed: positive numbers"),
        ("sweep --min-samples 0", "min_samples 0 is not allowed"),
        ("sweep --timeout -1", "timeout -1.0 is not allowed"),
        ("sweep --timeout inf", "timeout inf is not allowed"),
        ("sweep --speed 3", "unrecognized arguments: --speed 3"),
        ("list --variant dense", "unknown variant 'dense'"),
        ("measure", "invalid choice: 'measure'"),
        ("swep", "did you mean sweep?; see python -m benchmarks --help"),
        ("break_even", "did you mean break-even?; see"),
        ("", "required: list|plan|sweep|"),
    ],
)
def test_a_wrong_request_is_one_line_that_names_it(
    arguments: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = command_line.main(arguments.split())
    except SystemExit as stop:
        status = int(str(stop.code))
    assert status == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert message in err
    assert err.count("\n") == 1
    assert not (tmp_path / "results").exists()


def test_a_missing_device_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.running.outstanding.gpu_name", lambda: None)
    assert command_line.main(["sweep", "--device", "cuda", "--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "error: device 'cuda' is not there; allowed on this machine: cpu\n"


def test_results_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert command_line.main(["sweep", *TINY, "--results", str(tmp_path / "file")]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: cannot write results to {tmp_path}/file/records.jsonl: ")
    assert err.count("\n") == 1


def test_a_truncated_line_is_a_warning_and_that_case_is_measured_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sweep", *TINY, *FAST, "--results", str(tmp_path)]
    assert command_line.main(command) == 0
    path = RecordStore(tmp_path).path
    first = capsys.readouterr().out
    assert re.fullmatch(
        rf"measured 2, skipped 0, failed 0, 0 already there; \d+% of \d+ (?:s|min) inside timed passes; see {path}; "
        rf"write the page: python -m reports --results {tmp_path}\n",
        first,
    )
    lines = path.read_bytes().splitlines(keepends=True)
    costs = [i for i, line in enumerate(lines) if b'"kind":"cost"' in line]
    path.write_bytes(b"".join([*lines[: costs[-1]], lines[costs[-1]][:-20]]))
    assert command_line.main(command) == 0
    out, err = capsys.readouterr()
    assert out.startswith("measured 1, skipped 0, failed 0, 1 already there; ")
    assert f"warning: {path}:{costs[-1] + 1}: not a record, left out" in err


@pytest.mark.parametrize(
    ("interruption", "said"),
    [
        (Interrupted("3 new records kept, 4 cases left"), "3 new records kept, 4 cases left"),
        (KeyboardInterrupt(), "only the work in progress is lost"),
    ],
)
def test_ctrl_c_is_one_line_and_status_130(
    interruption: BaseException, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise interruption

    monkeypatch.setattr("benchmarks.commands.sweep.sweep", interrupted)
    assert command_line.main(["sweep", *TINY]) == 130
    assert capsys.readouterr().err == f"interrupted: {said}\n"


def test_list_names_every_case_and_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["list", "--profile", "quick"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [case.id for case in profile_cases("quick")]
    assert all(profile in last for profile in PROFILES)


def test_a_users_layer_is_listed_next_to_ours(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["list", *TINY[2:], "--variant", "separable", "--layer", "conv", "mine.layers:Layer"]) == 0
    out = capsys.readouterr().out
    assert "conv separable SO2(8)" in out
    assert "conv mine.layers:Layer custom SO2(8)" in out


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ("--layer mine:Layer", {"conv plain", "conv full", "conv mine:Layer"}),
        ("--layer mine:Layer --variant full", {"conv full", "conv mine:Layer"}),
        ("--layer mine:Layer --variant full custom", {"conv full", "conv mine:Layer"}),
        ("--layer mine:Layer --variant custom", {"conv mine:Layer"}),
        ("--layer resnet conv mine:Layer --variant full", {"resnet full", "conv full", "conv mine:Layer"}),
        ("--network mine:net --variant full", {"resnet full", "network mine:net"}),
        ("--network mine:net --variant custom", {"network mine:net"}),
        (
            "--network mine:net --layer mine:Layer --variant full",
            {"resnet full", "conv full", "network mine:net", "conv mine:Layer"},
        ),
    ],
)
def test_users_layers_stand_next_to_layers_and_their_networks_next_to_networks(
    options: str, kinds: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["list", "--direction", "forward", *options.split()]) == 0
    found = {" ".join(line.split()[1:3]) for line in capsys.readouterr().out.splitlines()[:-1]}
    assert kinds <= found
    assert "custom" in options or "--variant" not in options or found == kinds
    assert "--variant custom" not in options or found == kinds


def test_a_plan_has_cases_time_and_skips(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = RecordStore(tmp_path)
    assert command_line.main(["plan", *TINY, "--results", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert re.match(r"2 cases, 0 of them already there; 2 to do in 2 blocks of 4 rounds, about \d+ s; 0 will .*\n", out)
    assert not store.path.exists()
    huge = ["--channels", "4096", "--image-size", "4096"]
    assert command_line.main(["plan", *TINY, *huge, "--results", str(tmp_path)]) == 0
    assert re.search(r"2 will be skipped\n  . × needs about \d+", capsys.readouterr().out)


@pytest.mark.parametrize("command", [[], *([name] for name in command_line.COMMANDS)])
def test_help_has_examples_and_exits_0(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command_line.main([*command, "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    assert f"examples:\n  python -m benchmarks {' '.join(command)}".rstrip() in shown
    assert all(f"python -m benchmarks {' '.join(command)}" in line for line in examples(shown))


def examples(shown: str) -> list[str]:
    """Return the commands of the examples in a help text."""
    lines = shown.partition("examples:\n")[2].partition("\n\n")[0].splitlines()
    return [line for line in lines if line.startswith("  python -m benchmarks")]


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        command_line.main(["--version"])
    assert stop.value.code == 0
    assert re.fullmatch(r"gcnn_impl (\d+\.\d+\.\d+|of a checkout, not installed)\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("ours", "own", "status"),
    [("ok", "ok", 0), ("failed", "ok", 0), ("skipped", "skipped", 0), ("ok", "interfered", 1), ("failed", "failed", 1)],
)
def test_the_status_of_a_sweep_tells_whether_a_users_layer_or_every_case_failed(
    ours: str, own: str, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sweep(cases: list[Case], store: RecordStore, *_: object, **__: object) -> Summary:
        for case in cases:
            found = own if case.own else ours
            store.append({"schema": 2, "kind": "cost", "id": case.id, "status": found, "case": case.fields()})
        return Summary(measured=0, failed=0, already_there=len(cases))

    monkeypatch.setattr("benchmarks.commands.sweep.sweep", sweep)
    asked = ["sweep", *TINY[2:], "--variant", "full", "--layer", "mine.layers:Layer", "--no-check"]
    assert command_line.main([*asked, "--results", str(tmp_path)]) == status


def test_an_output_without_our_characters_gets_likenesses_of_them() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "benchmarks", "list", "--profile", "quick"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b" 28x28 " in done.stdout
