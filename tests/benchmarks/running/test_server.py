"""Tests of the processes that measure the package of a workplace, with tiny layers."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.cases.case import Case
from benchmarks.comparing.pairs import PASSES
from benchmarks.comparing.passes import Enter, Turn
from benchmarks.records.provenance import ROOT
from benchmarks.running.isolated import COPIED
from benchmarks.running.server import DoesNotStart, Server
from benchmarks.running.workplace import workplace
from tests.benchmarks.misbehaving_layers import NOTES
from tests.benchmarks.running import leaving

TINY = {"channels": 2, "batch_size": 1, "image_size": 8, "kernel_size": 3, "threads": 1}
GOOD = Case(**TINY, resolution=2)


def test_a_server_measures_the_package_of_its_place(tmp_path: Path) -> None:
    with workplace(".") as place, Server(place, 60.0, PASSES) as server:
        server.check("A")
        assert server.ask(Enter(0, GOOD, check=True)) is None
        assert all(one.seconds > 0 for one in server.ask(Turn(0)))
        assert server.ask(Turn(7)).status == "failed"  # nothing has entered under this number
    with (
        Server(tmp_path, 60.0, PASSES) as server,
        pytest.raises(RuntimeError, match="would be measured instead of"),
    ):
        server.check("A")


def test_a_commit_that_lacks_what_the_suite_needs_is_named(tmp_path: Path) -> None:
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    (tmp_path / "gcnn_impl").mkdir()
    (tmp_path / "gcnn_impl/__init__.py").touch()
    why = "^B does not import: ImportError: cannot import name .*; perhaps this suite needs what the commit lacks$"
    with Server(tmp_path, 60.0, PASSES) as server, pytest.raises(DoesNotStart, match=why):
        server.check("B")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import missing_module", "ModuleNotFoundError: No module named 'missing_module'"),
        (f"raise ValueError('{'x' * 400}')", f"ValueError: {'x' * 400}"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def (", "SyntaxError: invalid syntax"),
    ],
)
def test_an_error_at_import_is_told_whole(tmp_path: Path, text: str, error: str) -> None:
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    (tmp_path / "gcnn_impl").mkdir()
    (tmp_path / "gcnn_impl/__init__.py").write_text(text)
    with Server(tmp_path, 60.0, PASSES) as server, pytest.raises(DoesNotStart) as raised:
        server.check("B")
    assert str(raised.value) == f"B does not import: {error}"


@pytest.mark.parametrize("path", ["", str(ROOT)])
def test_a_server_measures_the_package_of_its_place_under_the_installed_command_too(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # as gcnn-bench sets it
    monkeypatch.setenv("PYTHONPATH", path)
    for folder in (ROOT, tmp_path):
        monkeypatch.chdir(folder)
        with workplace("HEAD") as place, Server(place, 60.0, PASSES) as server:
            server.check("A")
            assert server.ask(Enter(0, GOOD, check=True)) is None


@pytest.mark.skipif(sys.platform != "linux", reason="the supervisor adopts orphans on Linux")
@pytest.mark.parametrize(
    ("layer", "status"), [("Forks", "interfered"), ("HoldsInterpreter", "timeout"), ("ForksAndCrashes", "killed")]
)
def test_no_process_that_a_layer_starts_outlives_the_server(
    layer: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTES, str(tmp_path))
    case = Case(**TINY, resolution=2, variant="custom", implementation=f"tests.benchmarks.misbehaving_layers:{layer}")
    with workplace(".") as place, Server(place, 60.0, PASSES) as server:
        server.check("A")
        server.timeout = 8.0
        answer = server.ask(Enter(0, case, check=False))
    assert answer.status == status
    assert len(leaving.numbers(tmp_path)) == 3
    assert not any(map(leaving.alive, leaving.numbers(tmp_path)))


def test_a_layer_that_forks_and_comes_back_twice_fails_and_ends_the_process() -> None:
    layer = "tests.benchmarks.misbehaving_layers:ComesBackTwice"
    case = Case(**TINY, resolution=2, variant="custom", implementation=layer)
    with workplace(".") as place, Server(place, 60.0, PASSES) as server:
        server.check("A")
        answer = server.ask(Enter(0, case, check=False)) or server.ask(Turn(0))
    # Either may answer first: the copy, or the original, which has noticed its copies.
    by_copy = (answer.status, answer.message) == ("killed", COPIED.message)
    by_original = answer.status == "interfered" and "child processes from none to" in answer.message
    assert by_copy or by_original


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, time\n"
        "from benchmarks.running.workplace import workplace\n"
        "from benchmarks.running.server import Server\n"
        "with workplace('.') as place, Server(place, 60.0, 'benchmarks.comparing.passes') as server:\n"
        "    server.check('A')\n"
        "    print(server.process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}/stat").exists() and time.monotonic() < deadline:
        if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{child}/stat").exists()
