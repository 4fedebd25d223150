"""The processes of a deployment: their order, and what becomes of those that fail."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.deployment import collect
from benchmarks.deployment.collect import IMPORTS, deploy, import_seconds
from benchmarks.deployment.forms import WEIGHTS, Deployment, WritingTask
from benchmarks.records.outcome import Outcome
from tests.benchmarks.deployment.made_up import CASE, WRITTEN


class Processes:
    """Stands in for ``run_isolated``: notes what is run, and fails for the files and forms in ``failing``."""

    def __init__(self, *failing: str) -> None:
        self.failing, self.run = failing, list[str]()

    def __call__(self, function: Any, task: Any, **_: Any) -> Outcome:
        name = task.file if isinstance(task, WritingTask) else task.form
        self.run.append(name)
        if name in self.failing:
            return Outcome("failed", "RuntimeError: no", {})
        if isinstance(task, WritingTask):
            return Outcome("ok", "", WRITTEN)
        return Outcome("ok", "", {"first_answer": 1.0, "passes": [0.1, 0.2], "error": 0.0})


def deployed(monkeypatch: pytest.MonkeyPatch, processes: Processes) -> Deployment:
    monkeypatch.setattr(collect, "run_isolated", processes)
    monkeypatch.setattr(collect, "import_seconds", lambda: {"torch": 2.0})
    return deploy(CASE, Path("nowhere"), rounds=2, seconds=0.1, timeout=1.0)


def test_files_are_written_once_and_every_other_round_is_reversed(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = Processes()
    found = deployed(monkeypatch, processes)
    forms = ["eager", "frozen", "compiled", "exported", "onnx"]
    assert processes.run == [WEIGHTS, "network.pt2", "network.onnx", *forms, *reversed(forms)]
    assert [len(form.rounds) for form in found.forms] == [2] * 5
    assert found.imports == {"torch": (2.0, 2.0)}


def test_a_form_that_fails_has_a_reason_and_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    processes = Processes("network.pt2", "compiled")
    forms = {form.name: form for form in deployed(monkeypatch, processes).forms}
    assert "deploy: 15 of 15 steps" in capsys.readouterr().err  # three files, and two rounds of imports and five forms
    assert processes.run.count("compiled") == 1
    assert "exported" not in processes.run
    assert {name for name, form in forms.items() if form.reason == "failed: RuntimeError: no"} == {
        "compiled",
        "exported",
    }
    assert forms["onnx"].first_answers == (1.0, 1.0)


def test_a_network_that_cannot_be_built_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RuntimeError, match="failed: RuntimeError: no$"):
        deployed(monkeypatch, Processes(WEIGHTS))


def test_imports_are_timed_in_a_new_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "IMPORTS", ("json", "no_such_package", "benchmarks.cases"))
    found = import_seconds()
    assert list(found) == ["json", "benchmarks.cases"]
    assert min(found.values()) >= 0
    assert IMPORTS[:2] == ("torch", "gcnn_impl")
    monkeypatch.setattr(collect, "PROGRAM", "raise SystemExit('nothing works')")
    with pytest.raises(RuntimeError, match="cannot import json, benchmarks.cases: nothing works$"):
        import_seconds()
