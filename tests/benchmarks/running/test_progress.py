"""Progress is a bar on a terminal, and whole lines in a log."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from benchmarks.running import progress
from benchmarks.running.progress import Progress

PROGRAM = """
from benchmarks.running.progress import Progress
with Progress(total=40, unit="case", desc="sweep") as bar:
    for number in range(40):
        bar.set_postfix_str(f"case {number}")
        bar.update()
"""


def test_a_log_has_a_line_at_the_start_and_one_at_the_end() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    first, last = done.stderr.splitlines()
    assert re.fullmatch(r"sweep: 0 of 40 cases after 00:00, \? to go", first)
    assert re.fullmatch(r"sweep: 40 of 40 cases after 00:\d\d, 00:00 to go, case 39", last)
    assert "\r" not in done.stderr


def test_nothing_to_do_has_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(total=0, unit="run", desc="train") as bar:
        bar.set_postfix_str("nothing")
    assert capsys.readouterr().err == ""


def test_a_log_has_a_line_in_between_when_it_is_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    with Progress(total=3, unit="run", desc="train") as bar:
        for _ in range(3):
            bar.update()
    numbers = re.findall(r"train: (\d) of 3 runs", capsys.readouterr().err)
    assert numbers == sorted(numbers)
    assert set(numbers) == {"0", "1", "2", "3"}


def test_a_terminal_has_a_bar() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))  # rows and columns
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0
    assert b"\r" in shown
    assert "sweep: 100%" in shown.decode()
    assert " of 40 cases" not in shown.decode()
