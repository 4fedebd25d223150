"""Tests of a command's own temporary folder: its path is short, and it goes with the command, however that ends."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from benchmarks.running import temporary

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import os, sys, tempfile, time
from multiprocessing.util import get_temp_dir
from benchmarks.running.temporary import use_own_temporary_folder
use_own_temporary_folder()
open(os.path.join(tempfile.mkdtemp(), "file"), "w").close()
get_temp_dir()  # Python's folder for sockets
print(tempfile.gettempdir(), flush=True)
"""
REPLACE = """
from benchmarks.running.temporary import environment_of_a_replacement
program = os.environ["PROGRAM"] + "time.sleep(3)"  # until the shell of the replaced program has done its work
os.execve(sys.executable, [sys.executable, "-c", program], environment_of_a_replacement())
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """Return a new folder with a short path; those of pytest may be long."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def start(program: str, place: Path) -> tuple["subprocess.Popen[str]", Path]:
    """Start a program that first prints its temporary folder; return the process and the folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(place)}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_folder_is_there_while_the_program_runs_and_gone_when_it_has_ended(place: Path) -> None:
    process, folder = start("sys.stdin.readline()", place)
    assert folder.parent == place
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(list(folder.iterdir())) == 2
    assert process.communicate(timeout=30) == ("", "")
    assert list(place.iterdir()) == []


def test_the_folder_goes_also_when_the_program_fails_or_is_killed(place: Path) -> None:
    failing, _ = start("raise SystemExit(3)", place)
    assert failing.wait(30) == 3
    failing.communicate()
    assert list(place.iterdir()) == []
    sleeper = "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True); time.sleep(60)"
    killed, folder = start(sleeper, place)
    assert folder.exists()
    wait_until(lambda: len(psutil.Process(killed.pid).children()) == 2)  # the shell that waits, and the sleeper
    children = psutil.Process(killed.pid).children()
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert psutil.wait_procs(children, timeout=30)[1] == []
    assert list(place.iterdir()) == []


def test_a_supervisor_that_just_starts_when_its_program_is_killed_has_the_time_to_end_all_below_it(
    place: Path, tmp_path: Path
) -> None:
    supervisor = f"import time; time.sleep(1.5); open({str(tmp_path / 'done')!r}, 'w').close()"
    program = f"""
if os.fork() == 0:
    os.setsid()
    os.closerange(0, 1000)  # as subprocess does; this closes also the pipe at whose end the shell starts
    time.sleep(0.5)
    os.execv(sys.executable, [sys.executable, "-c", {supervisor!r}])
time.sleep(60)
"""
    killed, folder = start(program, place)
    wait_until(lambda: len(psutil.Process(killed.pid).children()) == 2)  # the shell that waits, and the supervisor
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    wait_until(lambda: not folder.exists())
    assert (tmp_path / "done").exists()


def test_processes_of_the_program_that_live_on_are_killed_at_its_end(place: Path) -> None:
    program = (
        "import subprocess; p = subprocess.Popen(['sleep', '60'], start_new_session=True); print(p.pid, flush=True)"
    )
    process, _ = start(f"{program}; p.returncode = 0", place)
    assert process.stdout is not None
    sleeper = psutil.Process(int(process.stdout.readline()))
    process.communicate(timeout=30)
    assert psutil.wait_procs([sleeper], timeout=30)[1] == []


def test_a_program_that_replaces_itself_returns_to_the_place_that_was_given(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROGRAM", PROGRAM)
    process, first = start(REPLACE, place)
    out, _ = process.communicate(timeout=30)
    assert Path(out.strip()).parent == place
    assert Path(out.strip()) != first


def test_the_paths_of_sockets_are_short_where_the_temporary_directory_has_a_long_path(tmp_path: Path) -> None:
    place = tmp_path / ("x" * 110)
    place.mkdir()
    process, folder = start("", place)
    process.communicate(timeout=30)
    assert str(folder.parent) in temporary.SHORT_PLACES
    assert len(f"{folder}{temporary.SOCKET_NAME}") <= temporary.LONGEST_SOCKET


def test_a_socket_with_the_longest_path_can_be_made(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        name = "s" * (temporary.LONGEST_SOCKET - len(f"{place}/"))
        listener.bind(f"{place}/{name}")


def test_where_no_folder_can_be_made_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "SHORT_PLACES", ())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    before = os.environ.get("TMPDIR")
    temporary.use_own_temporary_folder()
    assert (tempfile.gettempdir(), os.environ.get("TMPDIR")) == (str(tmp_path / "missing"), before)
