"""Tests of the command: parts one after the other, the table, the summary, the exit status, a stop in the middle."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.evidence.gpu import __main__ as command
from benchmarks.evidence.gpu import findings
from benchmarks.evidence.gpu.job import Job
from benchmarks.evidence.gpu.running import Ended

Fake = Callable[..., Ended]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return a function that runs the command with ``fake`` in place of ``run_part``."""
    handlers = {number: signal.getsignal(number) for number in command.STOPS}

    def run(fake: Fake, *options: str) -> int:
        monkeypatch.setattr(command, "run_part", fake)
        try:
            return command.main(["--out", str(tmp_path / "out"), "--device", "cpu", "--scale", "smoke", *options])
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    return run


def test_a_part_that_fails_is_named_and_does_not_stop_the_next(
    start: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fake(job: Job, *_: object) -> Ended:
        if job.part == "layers":
            findings.append(job.findings, {"part": "layers", "error": "ValueError: planted"})
            return Ended("failed", "exit status 1")
        return Ended("ok")

    assert start(fake, "--parts", "correctness", "layers", "page") == 0
    *_, header, first, second, third, last = capsys.readouterr().out.splitlines()
    assert header.split() == ["part", "status", "seconds", "found"]
    assert first.split()[:2] == ["correctness", "ok"]
    assert second.split()[:2] == ["layers", "failed"]
    assert "ValueError: planted" in second
    assert third.split()[:2] == ["page", "ok"]
    assert last == "not ok: layers (failed)"
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert [part["status"] for part in summary["parts"]] == ["ok", "failed", "ok"]


def test_a_part_is_skipped_by_name_when_the_time_is_over(
    start: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    began = []
    assert (
        start(lambda job, *_: began.append(job.part) or Ended("ok"), "--parts", "layers", "page", "--seconds", "15")
        == 0
    )
    assert began == ["page"]
    assert "not ok: layers (skipped)" in capsys.readouterr().out


def test_a_stop_leaves_the_table_of_what_was_done(
    start: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fake(job: Job, *_: object) -> Ended:
        if job.part == "layers":
            signal.raise_signal(signal.SIGTERM)
        return Ended("ok")

    assert start(fake, "--parts", "correctness", "layers", "page") == 128 + signal.SIGTERM
    assert "not ok: layers (stopped), page (not run)" in capsys.readouterr().out
    assert (tmp_path / "out/summary.json").exists()


def test_only_the_part_for_triton_has_its_operators_in_use(start: Callable[..., int]) -> None:
    given = {}

    def fake(job: Job, log: Path, environment: dict[str, str]) -> Ended:
        given[job.part] = environment["GCNN_IMPL_TRITON"]
        return Ended("ok")

    assert start(fake) == 0
    assert [name for name, value in given.items() if value == "1"] == ["triton"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--device", "tpu"], "invalid choice: 'tpu'"),
        (["--seconds", "0"], "--seconds 0.0 is not allowed; allowed: positive numbers"),
        (["--data-root", "/nowhere"], "--data-root /nowhere is not a folder"),
        (["--parts", "everything"], "invalid choice: 'everything'"),
        (["--device", "cuda"], "--device cuda is not there; allowed on this machine: cpu"),
    ],
)
def test_a_wrong_call_exits_with_status_2(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_gpu", lambda: None)
    with pytest.raises(SystemExit) as left:
        command.main(["--out", str(tmp_path), *options])
    assert left.value.code == 2
    assert said in capsys.readouterr().err
