"""Every command that a page tells people to type exists, and takes these options."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import benchmarks.__main__
import reports.__main__

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "reports/reference/README.md"]
SESSION = re.compile(r'^@nox\.session(?:\(name="([\w-]+)"\))?\ndef (\w+)', re.MULTILINE)
SESSIONS = {name or function for name, function in SESSION.findall((ROOT / "noxfile.py").read_text())}


def typed(page: Path) -> Iterator[str]:
    """The commands of a page: lines of its blocks for a shell, and what stands between backticks in its text."""
    text = page.read_text()
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            yield from line.partition("# ")[0].split("&&")
    for command in re.findall(r"`((?:python -m|nox -s|torchrun) [^`]+)`", text):
        whole = re.sub(r"[][]", "", " ".join(command.split()))  # without the brackets around what may be left out
        yield re.sub(r"\b[NS]\b", "1", whole)


COMMANDS = sorted({(page.name, command.strip()) for page in PAGES for command in typed(page) if command.strip()})


def test_the_pages_have_commands() -> None:
    assert len(COMMANDS) > 40
    assert {"README.md", "history.md", "own-layer.md", "studies.md"} <= {page for page, _ in COMMANDS}


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=lambda text: text)
def test_a_command_exists_and_takes_its_options(page: str, command: str) -> None:
    match shlex.split(command):
        case ["python", "-m", "benchmarks", *arguments] | ["torchrun", _, _, "-m", "benchmarks", *arguments]:
            if len(arguments) == 1:  # mentioned by its name
                assert arguments[0] in ("--help", *benchmarks.__main__.COMMANDS.split("|"))
            else:
                benchmarks.__main__.parser(arguments[0]).parse_args(arguments)
        case ["python", "-m", "reports", *arguments]:
            named = arguments and not arguments[0].startswith("-")
            reports.__main__.parser().parse_args(arguments if named else ["render", *arguments])
        case ["python", "-m", module, *arguments] if module.startswith("benchmarks."):
            said = subprocess.run([sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True)
            assert said.returncode == 0, said.stderr
            for option in (argument for argument in arguments if argument.startswith("--")):
                assert option in said.stdout
        case ["nox" | ".venv/bin/nox", "-s", session, *_]:
            assert session in SESSIONS
        case ["python3", "-m", "venv", ".venv"] | [".venv/bin/python", "-m", "pip", *_]:
            assert (ROOT / ".ci/run").read_text().count(command) == 1  # which every change runs
        case ["python", "-m", "dask", *arguments]:
            pytest.importorskip("distributed")
            assert arguments[:1] in ([], ["scheduler"], ["worker"])
        case ["python", "-c", program]:
            compile(program, page, "exec")
        case _:
            pytest.fail(f"{page} has a command of a kind that nothing here tries: {command}")
