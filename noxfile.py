"""What continuous integration and newcomers run: ``nox -s report``, ``nox -s tests``, …; ``nox --list`` shows all."""

import json
import math
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
GROUPS = ("measure", "report", "suites", "test", "lint")
RUN_ENVIRONMENT = {
    # Bytecode is written where somebody forbade it too: importing torch without takes seven seconds, every time.
    "PYTHONDONTWRITEBYTECODE": "",
    # As in benchmarks/measure/environment.py, which explains them; here for asv and pytest-benchmark.
    "OMP_WAIT_POLICY": "PASSIVE",
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296"
    ":glibc.malloc.top_pad=268435456",
    "KINETO_LOG_LEVEL": "99",
}


def install(session: nox.Session, *groups: str) -> None:
    """Install gcnn_impl and dependency groups of pyproject.toml."""
    session.env.update(RUN_ENVIRONMENT)
    session.install(".", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def report(session: nox.Session) -> None:
    """Measure, train and write reports/html/report.html: the main job, under ten minutes on two cores."""
    install(session, "measure", "report")
    session.run("python", "-m", "benchmarks", "sweep", "--profile", "quick")
    session.run("python", "-m", "benchmarks", "train", "--profile", "quick")
    session.run("python", "-m", "reports")


@nox.session
def tests(session: nox.Session) -> None:
    """Style, types and all tests, in one environment; the benchmarks run once each, as tests of their output."""
    install(session, *GROUPS)
    check_style(session)
    check_types(session)
    session.run("python", "-m", "pytest", "--benchmark-disable", *(session.posargs or ["tests", "benchmarks"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Style alone, without torch."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    check_style(session)


@nox.session
def typecheck(session: nox.Session) -> None:
    """Types alone."""
    install(session, *GROUPS)
    check_types(session)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the pytest-benchmark suite and keep results/pytest-benchmark.json."""
    install(session, "measure", "suites")
    results = Path("results/pytest-benchmark.json")
    results.parent.mkdir(exist_ok=True)
    results.unlink(missing_ok=True)
    shown = "--benchmark-columns=median,iqr,min,rounds"  # never the mean: one descheduled pass moves it by far
    session.run("python", "-m", "pytest", "benchmarks", "--benchmark-only", shown, f"--benchmark-json={results}")
    count = len(json.loads(results.read_text())["benchmarks"])
    session.log(f"{count} benchmarks in {results}")
    if count == 0:
        session.error("pytest-benchmark measured nothing")


@nox.session
def asv(session: nox.Session) -> None:
    """Run the asv suite on HEAD and keep the results in .asv/results."""
    session.install("asv>=0.6.5")
    session.env.update(RUN_ENVIRONMENT)
    session.run("asv", "machine", "--yes")
    session.run("asv", "run", "HEAD^!", "--show-stderr", *session.posargs)
    # Exit status 0 says nothing: count what was stored for this commit.
    commit = session.run("git", "rev-parse", "HEAD", external=True, silent=True)
    counts = [count_asv_results(path, str(commit).strip()) for path in Path(".asv/results").glob("*/*.json")]
    session.log(f"{sum(counts)} asv results for HEAD")
    if sum(counts) == 0:
        session.error("asv measured nothing")


def check_style(session: nox.Session) -> None:
    """Ruff's rules and format."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


def check_types(session: nox.Session) -> None:
    """Mypy, on the packages named in pyproject.toml."""
    session.run("mypy")


def count_asv_results(path: Path, commit: str) -> int:
    """Parameter combinations with a number in one of asv's result files; 0 when it is of another commit.

    Asv writes null for what failed and NaN for what was skipped.
    """
    content = json.loads(path.read_text())
    if content.get("commit_hash") != commit:
        return 0
    values = [row[0] for row in content["results"].values()]
    return sum(value is not None and not math.isnan(value) for row in values for value in row or [])
