"""Tests of the documentation: commands exist and take the options, Python blocks run, all files name one version."""

import functools
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from types import ModuleType

import pytest
import torch

import benchmarks.__main__
import gcnn_bench.__main__
import gcnn_impl
import reports.__main__
from benchmarks.answers.made_lines import filled
from benchmarks.commands.studies import COMMAND, markdown, study_pages
from benchmarks.studies.in_short import lines_in_short
from benchmarks.studies.kept import kept_studies
from benchmarks.suites.history import published
from benchmarks.suites.landmarks import RESULTS

ROOT = Path(__file__).parents[1]
TOP = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
GUIDES = [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/tutorials").glob("*.md"))]
PAGES = [*TOP, *GUIDES, ROOT / "reports/reference/README.md"]
SESSION = re.compile(r'^@nox\.session(?:\((?:name="([\w-]+)"|\w+=\w+)\))?\ndef (\w+)', re.MULTILINE)
SESSIONS = {name or function for name, function in SESSION.findall((ROOT / "noxfile.py").read_text())}


def typed(page: Path) -> Iterator[str]:
    """Yield the commands of a page: the lines of its shell blocks, and the commands between backticks in its text."""
    text = page.read_text()
    for block in re.findall(r"^```(?:sh|bash)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            yield from line.partition("# ")[0].split("&&")
    for command in re.findall(r"`((?:python -m|nox -s|torchrun|gcnn-bench) [^`]+)`", text):
        whole = re.sub(r"[][]", "", " ".join(command.split()))  # without the brackets around optional words
        yield re.sub(r"\b[NS]\b", "1", whole)


COMMANDS = sorted({(page.name, command.strip()) for page in PAGES for command in typed(page) if command.strip()})


def test_the_pages_have_commands() -> None:
    assert len(COMMANDS) > 40
    assert {"README.md", "history.md", "own-layer.md", "studies.md"} <= {page for page, _ in COMMANDS}


@functools.cache
def help_of(module: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize(("page", "command"), COMMANDS, ids=lambda text: text)
def test_a_command_exists_and_takes_its_options(page: str, command: str) -> None:
    match shlex.split(command):
        case ["python", "-m", "benchmarks", *arguments] | ["torchrun", _, _, "-m", "benchmarks", *arguments]:
            if len(arguments) < 2:  # the page only names the command
                assert {*arguments} <= {"--help", "--version", *benchmarks.__main__.COMMANDS}
            else:
                benchmarks.__main__.parser(arguments[0]).parse_args(arguments)
        case ["gcnn-bench", *arguments]:
            given = [*takewhile(lambda word: word != ">", arguments)]
            program = gcnn_bench.__main__.program()
            if len(given) == 1 or given[-1] == "--help":
                assert given[0] in ("--help", "--version", *benchmarks.__main__.COMMANDS, *program.more)
            else:
                benchmarks.__main__.parser(given[0], program).parse_args(given)
        case ["pip", "install", suite]:
            assert suite == ".[suite]"
        case ["python", "-m", "reports", *arguments]:
            named = arguments and not arguments[0].startswith("-")
            reports.__main__.parser().parse_args(arguments if named else ["render", *arguments])
        case ["python", "-m", module, *arguments] if module.startswith("benchmarks."):
            said = help_of(module)
            assert said.returncode == 0, said.stderr
            for option in (argument for argument in arguments if argument.startswith("--")):
                assert option in said.stdout
        case ["nox" | ".venv/bin/nox", "-s", session, *_]:
            assert session in SESSIONS
        case [".venv/bin/python", "-m", "pip", "install", "-q", "pre-commit"]:
            assert (ROOT / ".pre-commit-config.yaml").exists()
        case [".venv/bin/pre-commit", subcommand, *_]:
            assert subcommand in ("install", "run")
        case [".", activate]:  # activates the environment that nox made for a session
            assert re.fullmatch(r"\.nox/([\w-]+)/bin/activate", activate)[1] in SESSIONS
        case ["python", "-m", "pytest", test, *_]:
            path, _, function = test.partition("::")
            assert (ROOT / path).is_dir() or f"def {function}(" in (ROOT / path).read_text()
        case ["python3", "-m", "venv", ".venv"] | [".venv/bin/python", "-m", "pip", *_]:
            assert (ROOT / ".ci/run").read_text().count(command) == 1  # CI runs this command, too
        case ["python", "-m", "dask", *arguments]:
            pytest.importorskip("distributed")
            assert arguments[:1] in ([], ["scheduler"], ["worker"])
        case ["git", "clone", *_]:
            pass
        case ["python", "-c", program]:
            compile(program, page, "exec")
        case _:
            pytest.fail(f"{page} has a command of a kind that nothing here tries: {command}")


ENTRY = re.compile(r"^\.\. auto(?:class|function):: (?:[\w.]+\.)?(\w+)$", re.MULTILINE)
FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCKS = [(page, *block) for page in PAGES for block in FENCED.findall(page.read_text())]
# The programs of a page, each with the output that the page shows directly below the program, if any.
SHOWN = re.compile(r"^```python\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.DOTALL | re.MULTILINE)
PROGRAMS = {page: SHOWN.findall(page.read_text()) for page in PAGES if "```python" in page.read_text()}


def test_a_block_is_for_a_shell_or_runs_or_is_marked_as_text() -> None:
    assert {language for _, language, _ in BLOCKS} == {"sh", "bash", "python", "text"}
    assert {page.name for page in PROGRAMS} >= {"README.md", "adding-a-group-or-variant.md", "own-layer.md"}


@pytest.mark.parametrize("page", PROGRAMS, ids=lambda page: page.name)
def test_the_programs_of_a_page_run_and_print_what_the_page_shows(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    torch.manual_seed(0)
    names: dict[str, object] = {"__name__": "page"}  # a program may use the names of those above it
    for code, output in PROGRAMS[page]:
        exec(compile(code, str(page), "exec"), names)
        printed = capsys.readouterr().out
        assert not output or printed == output


# Commands on the committed records, each with the output that the page shows directly below the command.
ANSWERED = re.compile(
    r"^```sh\npython -m benchmarks (advise --results reports/[^\n]*)\n```\n\n```text\n(.*?)^```$", re.S | re.M
)
ANSWERS = [(page.name, *found) for page in GUIDES for found in ANSWERED.findall(page.read_text())]


@pytest.mark.parametrize(("page", "command", "output"), ANSWERS, ids=lambda text: text[:80])
def test_a_command_on_the_reference_records_prints_what_the_page_shows(
    page: str, command: str, output: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert benchmarks.__main__.main(shlex.split(command)) in (0, 1)
    printed = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert printed == [line.rstrip() for line in output.splitlines()]


def test_every_row_of_a_table_has_the_cells_of_its_heading() -> None:
    for page in PAGES:
        text = FENCED.sub("", page.read_text())
        for table in re.findall(r"(?:^ *\|.*\n)+", text, re.MULTILINE):
            cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
            assert len(cells) == 1, (page, table)  # a bar inside of a cell needs a backslash before it


def test_a_change_that_a_page_shows_stands_among_lines_of_the_file() -> None:
    shown = [
        change for page in PAGES for change in re.findall(r"^\+\+\+ b/(.+)\n((?:[@ +-].*\n)+)", page.read_text(), re.M)
    ]
    assert shown
    for file, change in shown:
        around = re.findall(r"^(?:@@| ) *(.*)$", change, re.MULTILINE)
        lines = [line.strip() for line in (ROOT / file).read_text().splitlines()]
        assert [line for line in around if line not in lines] == [], file


def test_all_files_name_one_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.findall(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE) == [version]
    released = re.findall(r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert released[0] == version


def test_a_change_goes_where_there_is_something() -> None:
    table = re.findall(r"^\| .+ \| `([\w/.]+)` \| [≤ ]*\d \|$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert len(table) == 10
    assert [path for path in table if not (ROOT / path).exists()] == []


def test_the_pages_of_studies_are_made_from_the_committed_records():
    kept = sorted({path.parent for path in (ROOT / "reports/reference").glob("*/study-*.json")})
    pages = {path.stem: path.read_text() for path in (ROOT / "docs/results").glob("*.md") if path.stem != "history"}
    made = {name: markdown(name, lines) for name, lines in study_pages(kept_studies(kept)).items()} if kept else {}
    assert pages == made, "nox -s pages"


@pytest.mark.parametrize(("page", "results"), [("README.md", "docs/results"), ("docs/studies.md", "results")])
def test_pages_tell_the_studies_of_the_committed_records_in_short(page: str, results: str) -> None:
    kept = sorted({path.parent for path in (ROOT / "reports/reference").glob("*/study-*.json")})
    text = (ROOT / page).read_text()
    assert filled(text, COMMAND, lines_in_short(kept_studies(kept), results)) == text, "nox -s pages"


def test_the_reference_has_an_entry_for_every_public_name() -> None:
    entries = {name for page in (ROOT / "docs/api").glob("*.rst") for name in ENTRY.findall(page.read_text())}
    public = {name for name, value in vars(gcnn_impl).items() if name[0] != "_" and not isinstance(value, ModuleType)}
    assert public - entries == {"CONVOLUTIONS"}  # a dictionary, which the layers and their names explain


def test_the_menu_of_the_site_has_every_page() -> None:
    listed = re.findall(r"^(?:docs|reports|CH|CON)[\w/*-]*$", (ROOT / "docs/site/menu.md").read_text(), re.MULTILINE)
    pages = {path.with_suffix("") for entry in listed for path in ROOT.glob(f"{entry}.*")}
    assert pages == {path.with_suffix("") for path in ROOT.glob("docs/**/*.[mr][ds]*") if path.name != "menu.md"} | {
        ROOT / name for name in ("CHANGELOG", "CONTRIBUTING", "reports/reference/README")
    }


def test_the_page_of_the_history_is_made_from_the_committed_results() -> None:
    page = ROOT / "docs/results/history.md"
    if not (ROOT / RESULTS).exists():
        assert not page.exists()
        pytest.skip("no history of landmark commits is committed yet")
    command = f"python -m benchmarks.suites.history asv {RESULTS} --write docs/results/history.md"
    assert page.read_text() == published(ROOT / RESULTS), command
