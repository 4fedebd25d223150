"""The sessions that developers and continuous integration run, such as ``nox -s tests``. ``nox -l`` lists them."""

import argparse
import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent))
# These modules need only the standard library.
from benchmarks.running.environment import MEASURING_ENVIRONMENT
from benchmarks.running.workplace import WORK_TREE, resolve
from benchmarks.statistics.regression import FACTOR, INTERLEAVED_FACTOR
from benchmarks.statistics.verdicts import NOT_COMPARED, REGRESSED, STATUS, UNDECIDED

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["tests"]

PROJECT = nox.project.load_toml("pyproject.toml")
GROUPS = ("measure", "report", "export", "suites", "test", "cluster", "lint")
# Python writes bytecode even if the user's environment forbids this: without it every import of torch takes 7 s.
RUN_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "", **MEASURING_ENVIRONMENT}
ASV_CONFIGURATION, ASV_RESULTS, ASV_PAGES = Path("asv.conf.json"), Path(".asv/results"), Path(".asv/html")
SCHEMAS = {"vendor.github-workflows": ".github/workflows/*.yml", "vendor.citation-file-format": "CITATION.cff"}
# The ranges that asv knows by name.
ASV_RANGES = ("NEW", "ALL", "EXISTING", "TAGS")
DISTRIBUTIONS, SITE = Path("dist"), Path("site")
# The packages of the wheel, those that it has inside of gcnn_bench, and the kinds of files that belong to them.
PACKAGES, SUITE = ("gcnn_impl", "gcnn_bench"), ("benchmarks", "reports")
SUFFIXES = (".py", ".c", ".h", ".typed", ".html", ".css", ".js", ".toml", ".txt")
# Tests run in as many processes as there are processors, each file in one of them. A crash ends the session.
PARALLEL = ("-n", "logical", "--maxprocesses", "4", "--dist", "loadfile", "--max-worker-restart", "0")
# The test of the installed wheel: a layer must be equivariant. The status of the operators in C is printed.
INSTALLED_LAYER = """
import torch, gcnn_impl
from gcnn_impl import SO2, SeparableGroupConv2d, native
layer = SeparableGroupConv2d(4, 4, kernel_size=3, group=SO2(4), padding=1)
gcnn_impl.assert_equivariant(layer, torch.randn(2, 4, 4, 9, 9), SO2(4), tolerance=1e-5)
print(f"{gcnn_impl.__file__}: a separable layer is equivariant; operators in C: {native.status()}")
"""
# The test of the installed suite, as options of gcnn-bench, in a folder outside of any checkout.
INSTALLED_SUITE = (
    "--version",
    "sweep --layer conv --variant full --resolution 4 --channels 2 --batch-size 1 --image-size 8 --kernel-size 3 "
    "--seconds 0.01 --rounds 2 --json",
    "report --output report.html",
    "completion bash",
)
# The operators in C are compiled with sanitizers, and a fault ends the process. Python itself leaks by design.
SANITIZED = {
    "CC": "gcc",
    "GCNN_IMPL_NATIVE_FLAGS": "-fsanitize=address,undefined -fno-sanitize-recover=undefined -g -O1",
    "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0",
}
# The pages that tell the studies in short.
FILLED = ("README.md", "docs/studies.md")
PYTEST_RESULTS = Path("results/pytest-benchmark")
FACTOR_HELP = "the factor that counts until four earlier results show how a benchmark varies (default: %(default)s)"
MEASURE_ONLY_HELP = "compare with nothing: status 0 if all was measured, 2 if something failed"
BENCH_HELP = (
    "All other options go to pytest: -k 'separable or plain' selects benchmarks. Without the plain convolutions, the "
    "controls, every time is undecided."
)
# The number of processes of each commit. One slow process among them does not change the judgement.
INTERLEAVED_ROUNDS = 4


def install(session: nox.Session, *groups: str) -> None:
    """Install gcnn_impl and dependency groups of pyproject.toml."""
    session.env.update(RUN_ENVIRONMENT)
    session.install(".", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def report(session: nox.Session) -> None:
    """Measure, train and write reports/html/report.html: under ten minutes, on the GPU too if there is one."""
    install(session, "measure", "report")
    session.run("python", "-m", "benchmarks", "sweep", "--profile", "quick")
    session.run("python", "-m", "benchmarks", "train", "--profile", "quick")
    session.run("python", "-m", "reports")


@nox.session
def study(session: nox.Session) -> None:
    """Test the paper's three claims on rotated digits, an hour on two cores; ``-- NAME OPTIONS`` runs another study."""
    install(session, "measure", "cluster")
    session.run("python", "-m", "benchmarks", "study", *(session.posargs or ("rotated-digits", "--jobs", "2")))


@nox.session
def summary(session: nox.Session) -> None:
    """Print a summary of the results as Markdown, for a comment or a job summary: ``-- --results DIR``."""
    session.install(*nox.project.dependency_groups(PROJECT, "report"))
    session.run("python", "-m", "reports", "summary", *session.posargs)


@nox.session
def pages(session: nox.Session) -> None:
    """Write the README's table and figures and docs/results again, from the records in reports/reference."""
    install(session, "measure", "report")
    kept = [str(path) for path in sorted(Path("reports/reference").glob("*/"))]
    session.run("python", "-m", "reports", "readme")
    session.run(
        "python", "-m", "benchmarks", "studies", "--results", *kept, "--write", "docs/results", "--fill", *FILLED
    )


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation as a site in site/ that needs no network, with the reference reports; check its links."""
    install(session, "docs", "measure", "report")
    shutil.rmtree(SITE, ignore_errors=True)
    session.run("python", "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "-c", "docs/site", ".", SITE)
    for kept in sorted(Path("reports/reference").glob("*/")):
        page = SITE / "gallery" / f"{kept.name}.html"
        session.run("python", "-m", "reports", "--results", str(kept), "--output", str(page))
    session.run("python", "-m", "reports", "gallery", str(SITE / "gallery"))
    session.run("python", "docs/site/check.py", SITE)


@nox.session(name="report-scale")
def report_scale(session: nox.Session) -> None:
    """Print the time, memory and size of reports with made-up records: ``-- --records 400 10000``."""
    session.install(*nox.project.dependency_groups(PROJECT, "report", "test"))
    session.run("python", "tests/reports/scale.py", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Expose a sweep to kills, a full disk, wrong layers and more, and print a table of what it recorded."""
    install(session, "measure", "report")
    session.run("python", "tests/benchmarks/faults.py")


@nox.session
def kills(session: nox.Session) -> None:
    """Kill sweeps and training with SIGKILL, 200 times or ``-- COUNT``, and count what is lost, repeated or left."""
    install(session, "measure", "report")
    session.run("python", "tests/benchmarks/kills.py", *(session.posargs or ("200",)))


@nox.session
def tests(session: nox.Session) -> None:
    """Check style and types, run all tests (each benchmark once, as a test of its output); print the coverage.

    On Python 3.11, where counting is slow, the coverage is printed with ``-- --cov``.
    """
    install(session, *GROUPS)
    check_style(session)
    check_types(session)
    # sys.monitoring costs less than a trace function; Python has it from 3.12 on. With the trace function of 3.11,
    # a page of the report took 17 s instead of 10 s.
    cheap = sys.version_info >= (3, 12)
    core = {"COVERAGE_CORE": "sysmon"} if cheap else {}
    counted = ("--cov", "--cov-report=") if cheap or "--cov" in session.posargs else ()
    session.run("python", "-m", "pytest", *PARALLEL, "--durations=25", *counted, *session.posargs, env=core)
    if counted:
        print_coverage(session)


@nox.session(name="without-operators")
def without_operators(session: nox.Session) -> None:
    """Run the tests of gcnn_impl with PyTorch alone: the operators in C are turned off."""
    install(session, "measure", "test", "suites")
    environment = {"GCNN_IMPL_NATIVE": "0"}
    session.run("python", "-m", "pytest", *PARALLEL, "tests/gcnn_impl", *session.posargs, env=environment)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Compare drawn calls of layers and functions with the definition, 10,000 or ``-- --draws N``, from a new seed."""
    install(session)
    session.run("python", "tests/gcnn_impl/fuzz.py", *(session.posargs or ("--draws", "10000", "--first", "-1")))


@nox.session
def sanitize(session: nox.Session) -> None:
    """Fuzz the operators in C for ten minutes under gcc's sanitizers of addresses and of undefined behaviour."""
    install(session)
    session.env.update(SANITIZED, XDG_CACHE_HOME=str(Path(session.create_tmp(), "sanitized").resolve()))
    # Outside of the sanitizer's runtime, which would slow the compiler down.
    session.run("python", "-c", "from gcnn_impl import native; assert native.status() == 'in use', native.status()")
    names = "libasan.so", "libstdc++.so.6"  # torch throws exceptions, whose functions the sanitizer must find
    found = [session.run("gcc", f"-print-file-name={name}", external=True, silent=True) for name in names]
    runtime = " ".join(str(path).strip() for path in found)
    draws = session.posargs or ("--draws", "10000", "--first", "-1", "--seconds", "600")
    session.run("python", "tests/gcnn_impl/fuzz.py", "--trace", *draws, env={"LD_PRELOAD": runtime})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, workflows and CITATION.cff alone, without torch."""
    session.install(*nox.project.dependency_groups(PROJECT, "lint"))
    check_style(session)


@nox.session
def typecheck(session: nox.Session) -> None:
    """Check types alone."""
    install(session, *GROUPS)
    check_types(session)


@nox.session(reuse_venv=False)
def build(session: nox.Session) -> None:
    """Build the wheel and the sdist in dist/, check both, and run the layers and the suite of the wheel elsewhere."""
    session.install("build[uv]", "twine")
    shutil.rmtree(DISTRIBUTIONS, ignore_errors=True)
    session.run("python", "-m", "build", "--installer", "uv", "--outdir", str(DISTRIBUTIONS))
    [wheel], [sdist] = DISTRIBUTIONS.glob("*.whl"), DISTRIBUTIONS.glob("*.tar.gz")
    session.run("twine", "check", "--strict", str(wheel), str(sdist))
    if missing := missing_files(wheel, sdist):
        session.error("\n".join(missing))
    session.install(str(wheel))
    session.run("python", "-I", "-c", INSTALLED_LAYER)  # -I: the checkout is not on sys.path
    session.install(f"{wheel.resolve()}[suite]")
    with tempfile.TemporaryDirectory() as elsewhere, session.chdir(elsewhere):
        for arguments in INSTALLED_SUITE:
            session.run("gcnn-bench", *arguments.split(), silent=arguments.startswith("completion"))
        lines = Path("results/records.jsonl").read_text(encoding="utf-8").splitlines()
        if commits := {json.loads(line)["provenance"]["commit"] for line in lines} - {None}:
            session.error(f"the installed suite names commits, {commits}")


@nox.session
def validity(session: nox.Session) -> None:
    """Show how often comparisons are right: the same code twice, and slowdowns of known size (``-- --help``)."""
    install(session, "measure")
    session.run("python", "-m", "benchmarks.evidence.validity", *session.posargs)


@nox.session
def agreement(session: nox.Session) -> None:
    """Measure twelve cases with the sweep, asv and pytest-benchmark in turns, and compare the medians."""
    install(session, "measure", "suites")
    prepare_asv(session)
    session.run("python", "-m", "benchmarks.evidence.agreement", *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """Compare our layers with torch's, escnn's and the authors' (``-- --authors PATH``)."""
    install(session, "measure", "peers")
    # escnn is installed without its dependencies: the comment on the group "peers" in pyproject.toml gives the reason.
    session.install("--no-deps", "escnn>=1.0.11")
    session.run("python", "-m", "benchmarks", "peers", *session.posargs)


@nox.session
def compare(session: nox.Session) -> None:
    """Compare two commits or sets of results: ``nox -s compare -- A B``; statuses: 0 fine, 1 regressed, 3 undecided."""
    with tooling():
        install(session, "measure")
        status = status_of(session, "python", "-m", "benchmarks", "compare", *session.posargs)
    leave(status)


@nox.session
def bench(session: nox.Session) -> None:
    """Run the pytest-benchmark suite, save its results in results/pytest-benchmark, compare with previous runs."""
    options = argparse.ArgumentParser(prog="nox -s bench --", epilog=BENCH_HELP)
    options.add_argument("--factor", type=float, default=FACTOR, help=FACTOR_HELP)
    options.add_argument("--measure-only", action="store_true", help=MEASURE_ONLY_HELP)
    args, others = options.parse_known_args(session.posargs)
    with tooling():
        install(session, "measure", "suites")
        saved = pytest_files()
        before = ["--before", *map(str, saved)] if saved else []
        judged = [f"--factor={args.factor}", *["--measure-only"] * args.measure_only, *before]
        run_pytest_benchmark(session, others)
        if not new_files(saved):
            raise ValueError(f"no benchmark that matches {shlex.join(others) or 'the suite'} was measured")
        status = judge("pytest-benchmark", *map(str, new_files(saved)), *judged)
        if status in (STATUS[REGRESSED], STATUS[UNDECIDED]):
            session.log("once more: a process that was disturbed looks like one that is slower")
            run_pytest_benchmark(session, others)
            status = judge("pytest-benchmark", *map(str, new_files(saved)), *judged)
    leave(status)


@nox.session
def asv(session: nox.Session) -> None:
    """Measure commits with asv, HEAD or ``-- RANGE``, and keep the results in .asv/results."""
    options = argparse.ArgumentParser(prog="nox -s asv --")
    what = "a commit: this commit alone; A..B: the commits after A up to B (default: HEAD)"
    options.add_argument("range", nargs="?", default="HEAD", help=what)
    options.add_argument("--factor", type=float, default=FACTOR, help=FACTOR_HELP)
    what = "every pass once: whether the suite works; nothing is compared or kept"
    options.add_argument("--quick", action="store_true", help=what)
    args = asv_arguments(options, session)
    with tooling():
        commits = range_of_commits(args.range)
        prepare_asv(session)
        if args.quick:
            with other_results(Path(session.create_tmp())) as (configuration, results):
                options_ = (f"--config={configuration}", "--quick")
                status = run_asv(session, args, commits, *options_, results=results, judged=["--measure-only"])
        else:
            status = run_asv(session, args, commits)
    leave(status)


@nox.session(name="asv-compare")
def asv_compare(session: nox.Session) -> None:
    """Measure two commits in turns with asv: ``nox -s asv-compare -- BASE [HEAD]``. Statuses as of compare."""
    options = argparse.ArgumentParser(prog="nox -s asv-compare --")
    options.add_argument("base", help="commit to compare with")
    options.add_argument("head", nargs="?", default="HEAD", help="commit in question (default: HEAD)")
    options.add_argument("--factor", type=float, default=INTERLEAVED_FACTOR, help=FACTOR_HELP)
    args = asv_arguments(options, session)
    with tooling():
        commits = [commit_hash(name) for name in (args.base, args.head)]
        prepare_asv(session)
        if commits[0] == commits[1]:
            session.error(f"{args.base} and {args.head} are the same commit; allowed: two")
        chosen = Path(session.create_tmp(), "commits")
        chosen.write_text("\n".join(commits))
        in_turns = ("--interleave-rounds", "-a", f"rounds={INTERLEAVED_ROUNDS}", "--record-samples")
        status = run_asv(session, args, f"HASHFILE:{chosen}", *in_turns, judged=["--commits", *commits])
    leave(status)


@nox.session(name="asv-publish")
def asv_publish(session: nox.Session) -> None:
    """Write the pages of asv's results to .asv/html; they need no network, and ``-- --serve`` shows them."""
    prepare_asv(session)
    session.run("asv", "publish")
    session.run("python", "-m", "benchmarks.suites.asv_pages", str(ASV_PAGES))
    if "--serve" in session.posargs:  # browsers refuse to load the pages from a file
        session.run("asv", "preview")


def asv_arguments(options: argparse.ArgumentParser, session: nox.Session) -> argparse.Namespace:
    """Parse the arguments after ``--``, with the options that both asv sessions share."""
    what = (
        "only benchmarks that match REGEX; may be repeated, as in -b separable -b plain. Without the plain "
        "convolutions, the controls, every time is undecided"
    )
    options.add_argument("-b", "--bench", action="append", default=[], metavar="REGEX", help=what)
    options.add_argument("--show-stderr", action="store_true", help="say why benchmarks failed or were skipped")
    return options.parse_args(session.posargs)


def prepare_asv(session: nox.Session) -> None:
    """Install asv, which makes an environment of its own for the measurements."""
    session.install("asv>=0.6.5")
    session.env.update(RUN_ENVIRONMENT)
    session.run("asv", "machine", "--yes", silent=True)
    if session.run("git", "status", "--porcelain", "--untracked-files=no", external=True, silent=True):
        session.warn("asv measures commits: uncommitted changes are not measured")


def run_asv(
    session: nox.Session,
    args: argparse.Namespace,
    commits: str,
    *options: str,
    judged: Sequence[str] = (),
    results: Path = ASV_RESULTS,
) -> int:
    """Run the asv suite, and judge the stored results: asv's own exit status may be 1 for several reasons.

    ``judged`` are options of the gate.
    """
    bench = [option for pattern in args.bench for option in ("-b", pattern)]
    begun = time.time()
    verbose = ["--show-stderr"] * args.show_stderr
    session.run("asv", "run", commits, *verbose, *options, *bench, success_codes=[0, 1, 2])
    return judge("asv", str(results), *judged, *bench, f"--since={begun}", f"--factor={args.factor}")


@contextlib.contextmanager
def other_results(directory: Path) -> Iterator[tuple[str, Path]]:
    """Yield the path of a configuration of asv with which results go to a directory, and this directory.

    asv works in the folder of its configuration, so the file is in this one.
    """
    text = ASV_CONFIGURATION.read_text(encoding="utf-8")
    results = Path(tempfile.mkdtemp(dir=directory.resolve()))
    with tempfile.NamedTemporaryFile("w", dir=".", prefix=".asv-", suffix=".json", encoding="utf-8") as configuration:
        configuration.write(text.replace(f'"{ASV_RESULTS}"', json.dumps(str(results))))
        configuration.flush()
        yield configuration.name, results


def range_of_commits(text: str) -> str:
    """Return what asv takes for a commit alone or a range; raise ``ValueError`` for neither, or for unknown commits."""
    if text in ASV_RANGES or text.startswith("HASHFILE:"):
        return text
    if ".." not in text:
        return f"{commit_hash(text.removesuffix('^!'), 'a commit, A..B')}^!"
    for end in filter(None, text.replace("...", "..").split("..")):
        commit_hash(end, "a commit, A..B")
    return text


def commit_hash(name: str, allowed: str = "a commit") -> str:
    """Return the full hash of a commit; raise ``ValueError`` if there is none."""
    if name == WORK_TREE:
        raise ValueError(f"asv measures commits, not the work tree; allowed: {allowed}")
    return resolve(name, "a branch", allowed)


def run_pytest_benchmark(session: nox.Session, options: Sequence[str]) -> None:
    """Run the pytest-benchmark suite once and save a file in results/pytest-benchmark."""
    # Files, not the folder: the doctests of a folder import all of its modules into the process that measures.
    files = map(str, sorted(Path("benchmarks/suites").glob("test_bench_*.py")))
    session.run(
        *("python", "-m", "pytest", *files, "--benchmark-enable", "--benchmark-only"),
        "--benchmark-columns=median,iqr,min,rounds",  # without the mean, which one interrupted pass can change much
        *("--benchmark-autosave", "--benchmark-save-data", f"--benchmark-storage={PYTEST_RESULTS}"),
        *options,
        success_codes=[0, 1, 5],  # 1: a test failed, which the gate reports; 5: no benchmark was selected
    )


def pytest_files() -> list[Path]:
    """Return the files that pytest-benchmark saved, oldest first."""
    return sorted(PYTEST_RESULTS.glob("*/*.json"), key=lambda path: path.stat().st_mtime)


def new_files(saved: Sequence[Path]) -> list[Path]:
    """Return the files that pytest-benchmark saved since ``saved`` were listed."""
    return [path for path in pytest_files() if path not in saved]


def judge(*arguments: str) -> int:
    """Judge results with benchmarks/suites/gate.py and return its exit status."""
    return subprocess.run([sys.executable, "-m", "benchmarks.suites.gate", *arguments], check=False).returncode


def status_of(session: nox.Session, *command: str) -> int:
    """Run a command in the session's environment, and return its exit status, which ``session.run`` does not."""
    path = os.pathsep.join([session.bin, os.environ.get("PATH", "")])
    environment = {**os.environ, **{name: value for name, value in session.env.items() if value is not None}}
    return subprocess.run(
        [str(Path(session.bin, command[0])), *command[1:]], env={**environment, "PATH": path}
    ).returncode


@contextlib.contextmanager
def tooling() -> Iterator[None]:
    """End nox with status 2 if a tool fails inside, because status 1 of the session means that something is slower."""
    try:
        yield
    except Exception as failure:  # whatever failed, nothing was judged
        print(f"error: {str(failure) or type(failure).__name__}; nothing was judged", file=sys.stderr)
        sys.exit(STATUS[NOT_COMPARED])


def leave(status: int) -> None:
    """End nox with an exit status; by itself nox ends only with 0 or 1."""
    if status:
        sys.exit(status)


def check_style(session: nox.Session) -> None:
    """Check ruff's rules and format, and the schemas of the workflows and of CITATION.cff."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    for schema, pattern in SCHEMAS.items():
        session.run("check-jsonschema", "--builtin-schema", schema, *map(str, sorted(Path().glob(pattern))))


def check_types(session: nox.Session) -> None:
    """Run mypy on the packages named in pyproject.toml."""
    session.run("mypy")


def print_coverage(session: nox.Session) -> None:
    """Print the covered share of each folder of the packages, and that of all folders together."""
    written = Path(session.create_tmp(), "coverage.json")
    if session.run("python", "-m", "coverage", "json", "-q", "-o", str(written), silent=True) is None:
        return  # with --install-only nothing runs, and the file may be that of an earlier session
    files = json.loads(written.read_text())["files"]
    rooms: dict[str, list[int]] = {}
    for name, file in files.items():
        for room in (str(Path(name).parent), "total"):
            covered, statements = rooms.get(room, [0, 0])
            summary = file["summary"]
            rooms[room] = [covered + summary["covered_lines"], statements + summary["num_statements"]]
    total = rooms.pop("total")
    session.log("coverage, without processes that tests start:")
    for room, (covered, statements) in [*sorted(rooms.items()), ("total", total)]:
        print(f"{room:<24}{statements:>8} lines{covered / max(statements, 1):>8.1%}")


def missing_files(wheel: Path, sdist: Path) -> list[str]:
    """Return a line for each file that a distribution should hold and does not, or that a wheel should not hold."""
    sources = {path for package in PACKAGES for path in _files(package)}
    suite = {path for package in SUITE for path in _files(package)}
    name = "-".join(wheel.name.split("-")[:2])  # such as gcnn_impl-0.1.0
    with zipfile.ZipFile(wheel) as opened:
        there = {*opened.namelist()}
    with tarfile.open(sdist) as opened:
        packed = {path.removeprefix(f"{name}/") for path in opened.getnames()}
    inside = {f"gcnn_bench/suite/{path}" for path in suite}
    of_wheel = {*sources, *inside, f"{name}.dist-info/licenses/LICENSE"} - there
    of_sdist = {*sources, *suite, "LICENSE", "setup.py"} - packed
    lacking = [(wheel, of_wheel), (sdist, of_sdist)]
    lines = [f"{distribution} lacks {path}" for distribution, paths in lacking for path in sorted(paths)]
    tops = {path.partition("/")[0] for path in there} - {*PACKAGES, f"{name}.dist-info"}
    return [*lines, *(f"{wheel} would put {top} into site-packages" for top in sorted(tops))]


def _files(package: str) -> set[str]:
    """Return the files of a package that belong into the distributions: not the reports that a user has made."""
    made = Path("reports/html")
    return {str(path) for path in Path(package).rglob("*") if path.suffix in SUFFIXES and made not in path.parents}
