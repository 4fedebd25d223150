"""Measures all forms of one network: files are written once, and each form gets a new process in every round."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.cases.case import Case
from benchmarks.deployment.forms import FILES, WEIGHTS, Deployment, Form, FormTask, WritingTask
from benchmarks.deployment.processes import WORKER, form_task, writing_task
from benchmarks.records.outcome import Outcome
from benchmarks.records.provenance import moment, provenance
from benchmarks.running.isolated import run_isolated
from benchmarks.running.progress import Progress

# In this order: the time of the second is what it adds to the first.
IMPORTS = ("torch", "gcnn_impl", "onnxruntime")
# A new interpreter that imports the packages and prints the seconds of each.
PROGRAM = """
import importlib, json, sys, time
found = {}
for name in sys.argv[1:]:
    begun = time.perf_counter()
    importlib.import_module(name)
    found[name] = time.perf_counter() - begun
print(json.dumps(found))
"""


def deploy(case: Case, folder: Path, *, rounds: int, seconds: float, timeout: float) -> Deployment:
    """Write the files of a network into a folder, and measure all of its forms.

    A form that cannot be written or run has the reason instead of times.

    Args:
        rounds: number of processes of each form; the order of the forms is reversed in every other round.
        seconds: time of the passes in each process.
        timeout: seconds after which a process is given up.

    Raises:
        RuntimeError: when the network cannot be built, or the packages cannot be imported.
    """
    before = moment()
    forms = {name: Form(name) for name in FILES}
    files = list(dict.fromkeys(FILES.values()))
    total = len(files) + rounds * (len(forms) + 1)
    with Progress(total=total, unit="step", unit_scale=True, desc="deploy") as progress:

        def run(function: Callable[..., dict[str, Any]], task: Any) -> Outcome:
            outcome = run_isolated(function, task, device="cpu", preload=WORKER, timeout=timeout)
            progress.update(1)
            return outcome

        for file in files:
            outcome = run(writing_task, WritingTask(case, file, folder))
            if file == WEIGHTS and outcome.status != "ok":
                raise RuntimeError(f"{case.label}: {outcome.status}: {outcome.message}")
            for name in (name for name, of_form in FILES.items() if of_form == file):
                forms[name] = replace(forms[name], reason=_reason(outcome), **outcome.fields)
        imports: dict[str, tuple[float, ...]] = {}
        for number in range(rounds):
            for name, taken in import_seconds().items():
                imports[name] = (*imports.get(name, ()), taken)
            progress.update(1)
            for name in list(forms)[:: 1 if number % 2 == 0 else -1]:
                if forms[name].reason:
                    progress.update(1)  # nothing is measured
                else:
                    outcome = run(form_task, FormTask(case, name, folder, seconds))
                    ok = outcome.status == "ok"
                    forms[name] = forms[name].plus(outcome.fields) if ok else _failed(forms[name], outcome)
    where = provenance(device="cpu", threads=case.threads, before=before)
    return Deployment(case, tuple(forms.values()), imports, where)


def _reason(outcome: Outcome) -> str:
    return "" if outcome.status == "ok" else f"{outcome.status}: {outcome.message}"


def _failed(form: Form, outcome: Outcome) -> Form:
    """Return a form without times: what a process of it reported before another one failed is not kept."""
    return replace(form, reason=_reason(outcome), first_answers=(), rounds=(), error=None)


def import_seconds() -> dict[str, float]:
    """Return the time of importing each of ``IMPORTS`` that is installed, in this order, in a new interpreter.

    Raises:
        RuntimeError: when the interpreter fails.
    """
    names = [name for name in IMPORTS if importlib.util.find_spec(name) is not None]
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *names],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise RuntimeError(f"a new interpreter cannot import {', '.join(names)}: {last}")
    found: dict[str, float] = json.loads(done.stdout)
    return found
