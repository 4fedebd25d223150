"""The gate: it counts and judges the results of a run of the asv or the pytest-benchmark suite.

The suites' exit statuses are ambiguous: status 1 of asv means "regressed", "nothing measured" or "no such commit".
The gate reads the result files instead, and says "fine" (exit status 0), "regressed" (1), "undecided" (3), "could not
compare", "failed", "measured nothing" or "another machine" (2). With ``--measure-only`` it compares nothing, and says
"measured" (0) if nothing failed. This program needs only the standard library.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.answers.suite_steps import earlier, steps_of
from benchmarks.records.known_changes import NOTHING_KNOWN, Known, project_known
from benchmarks.records.suite_results import (
    Commit,
    commit_order,
    commits_in_order,
    fastest,
    read_asv,
    read_pytest_benchmark_run,
)
from benchmarks.statistics.verdicts import FINE, NOT_COMPARED, REGRESSED, STATUS, UNDECIDED
from benchmarks.statistics.written import plural

MEASURED, FAILED = "measured", "failed"
MEASURED_NOTHING, ANOTHER_MACHINE = "measured nothing", "another machine"
# The gravest word last. A commit without an earlier result does not hide the verdicts on those after it.
EXIT_STATUS = {MEASURED: 0} | {word: STATUS[word] for word in (NOT_COMPARED, FINE, UNDECIDED, REGRESSED)}
EXIT_STATUS |= dict.fromkeys((FAILED, MEASURED_NOTHING, ANOTHER_MACHINE), STATUS[NOT_COMPARED])
FIRST_RUN = "first run on this machine: kept, nothing to compare with yet"
NO_CONTROL = (
    "undecided: no control (plain convolution) was compared, so the machine cannot be told from the code; select the "
    "plain ones, too"
)


@dataclass(frozen=True)
class Judgement:
    """The ``word`` of a judgement, a key of ``EXIT_STATUS``, and lines with the reasons."""

    word: str
    lines: tuple[str, ...]


def judge(run: Commit, history: Sequence[Commit], factor: float, known: Known = NOTHING_KNOWN) -> Judgement:
    """Judge the results of a run by the earlier runs on the same machine, the oldest first; there may be none.

    ``answers.suite_steps`` says what a step is; ``factor`` counts while the level of a benchmark has few results.
    """
    counted = count(run)
    if not history:
        return Judgement(NOT_COMPARED, (*counted.lines, FIRST_RUN)) if counted.word == MEASURED else counted

    lines = list(counted.lines)
    steps = steps_of(run, history, factor, known)
    compared, moved, regressed, doubtful = steps.compared, steps.moved, steps.regressed, steps.doubtful
    lines += [f"regressed: {one.line}" for one in regressed]
    lines += [f"ignored: {one.line}" for one in steps.ignored]
    lines += [f"unchanged code moved: {one.line}" for one in moved]
    lines += [f"doubtful: {one.line}" for one in doubtful if one not in moved]
    lines.append(f"{len(compared)} compared, {len(regressed)} regressed, {len(doubtful)} doubtful")
    if moved:
        controls = plural(len(moved), "plain convolution")
        lines.append(f"undecided: {controls} moved, so the machine did; run again on a calm machine")
    if steps.uncontrolled:
        lines.append(NO_CONTROL)
    if not compared and counted.word == MEASURED:
        lines.append("no benchmark has an earlier result of its version on this machine: kept for the next run")
    return Judgement(steps.word if counted.word == MEASURED else counted.word, tuple(lines))


def count(run: Commit) -> Judgement:
    """Count the results of a run without a comparison: "measured", "failed" or "measured nothing"."""
    failed = sorted(name for name, result in run.results.items() if result.value is None)
    measured = sum(result.measured for result in run.results.values())
    skipped = len(run.results) - measured - len(failed)
    lines = [f"failed: {name}" for name in failed]
    lines.append(f"{measured} measured, {len(failed)} failed, {skipped} skipped")
    return Judgement(FAILED if failed else MEASURED if measured else MEASURED_NOTHING, tuple(lines))


def judge_asv(
    commits: Sequence[Commit],
    factor: float,
    wanted: Sequence[str] = (),
    history: Sequence[Commit] = (),
    known: Known = NOTHING_KNOWN,
) -> Judgement:
    """Judge each commit by the commits before it on the same machine, and return the gravest word.

    Args:
        commits: the results of this run, oldest first.
        factor: the factor that counts while the spread of a benchmark is not known.
        wanted: hashes of the commits to judge, in this order; all if empty. They were measured in turns, so each is
            compared with those before it in this list alone.
        history: all results, oldest first, if the commits are to be compared with those of earlier runs.
    """
    there = {commit.hash for commit in commits}
    if not commits or not there.issuperset(wanted):
        missing = ", ".join(hash_[:8] for hash_ in wanted if hash_ not in there) or "any commit"
        return Judgement(MEASURED_NOTHING, (f"this run has no result for {missing}",))
    if wanted:
        commits = [commit for hash_ in wanted for commit in commits if commit.hash == hash_]
    judgements = []
    for number, commit in enumerate(commits):
        stored = not wanted and any(one.hash == commit.hash for one in history)
        older = earlier(commit, history if stored else commits[:number])
        title = commit.hash[:8] + (f" after {older[-1].hash[:8]}" if older else "") + f" on {commit.place}"
        judgement = judge(commit, older, factor, known)
        if wanted and not older and judgement.word == NOT_COMPARED:
            lines = (f"{title}: the base, with which the next commit is compared", *count(commit).lines)
            judgements.append(Judgement(NOT_COMPARED, lines))
        else:
            judgements.append(_titled(title, judgement))
    return _together(judgements)


def judge_pytest_benchmark(
    files: Sequence[Path], before: Sequence[Path], factor: float, known: Known = NOTHING_KNOWN
) -> Judgement:
    """Judge each benchmark by its fastest result in all ``files``, because other processes can only slow it down.

    Earlier runs of other machines do not count. If there are only such, nothing can be compared.
    """
    if not files:
        return Judgement(MEASURED_NOTHING, ("pytest-benchmark saved no file",))
    runs, earlier = (sorted(map(read_pytest_benchmark_run, each), key=lambda run: run.date) for each in (files, before))
    here, there = ({run.place for run in each} for each in (runs, earlier))
    if len(here) > 1 or (there and not there & here):
        machines = " against ".join(" and ".join(sorted(each)) for each in (there, here) if each)
        return Judgement(ANOTHER_MACHINE, (f"results of different machines are not compared: {machines}",))
    history = [run for run in earlier if run.place in here]
    names = ", ".join(path.name for path in files)
    title = f"{names} after {plural(len(history), 'earlier run')}" if history else f"{names}, without an earlier file"
    if left_out := len(earlier) - len(history):
        title += f", {left_out} of other machines left out"
    both = replace(runs[0], results=fastest([run.results for run in runs]))
    return _titled(f"{title}, on {min(here)}", judge(both, history, factor, known))


def _together(judgements: Sequence[Judgement]) -> Judgement:
    """Return the gravest word, and the lines of all judgements."""
    word = max((judgement.word for judgement in judgements), key=list(EXIT_STATUS).index, default=MEASURED_NOTHING)
    return Judgement(word, tuple(line for judgement in judgements for line in judgement.lines))


def _counted(runs: Sequence[Commit]) -> Judgement:
    """Count the results of each run; nothing is compared."""
    return _together([_titled(f"{run.hash[:8]} on {run.place}", count(run)) for run in runs])


def _titled(title: str, judgement: Judgement) -> Judgement:
    return Judgement(judgement.word, (f"{title}: {judgement.word}", *judgement.lines))


def main(argv: Sequence[str] | None = None) -> int:
    """Judge the results of a suite, print the judgement and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suites.gate", description=__doc__)
    suites = parser.add_subparsers(dest="suite", required=True)
    asv = suites.add_parser("asv", help="commits in asv's results, each compared with the one before")
    asv.add_argument("directory", type=Path, help="results_dir of asv.conf.json")
    asv.add_argument(
        "--commits", nargs="+", default=(), help="the commits to judge, in this order (default: all, by date)"
    )
    asv.add_argument("-b", "--bench", action="append", default=[], help="only benchmarks that match")
    asv.add_argument("--since", type=float, default=0.0, help="only results begun after this Unix time, seconds")
    pytest = suites.add_parser("pytest-benchmark", help="a run's file, compared with that of an earlier run")
    pytest.add_argument("files", type=Path, nargs="*", help="files of the run and its repetitions")
    pytest.add_argument("--before", type=Path, nargs="*", default=(), metavar="FILE", help="files of earlier runs")
    for suite in (asv, pytest):
        suite.add_argument(
            "--factor", type=float, required=True, help="the factor while the spread is unknown, such as 1.1"
        )
        suite.add_argument("--measure-only", action="store_true", help="compare nothing: whether all was measured")
    args = parser.parse_args(argv)
    try:
        judgement = _judgement(args)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return STATUS[NOT_COMPARED]
    print(*judgement.lines, judgement.word, sep="\n")
    return EXIT_STATUS[judgement.word]


def _judgement(args: argparse.Namespace) -> Judgement:
    known = project_known()
    if args.suite != "asv":
        if args.measure_only:
            return _counted(list(map(read_pytest_benchmark_run, args.files)))
        return judge_pytest_benchmark(args.files, args.before, args.factor, known)
    order = commit_order()
    fresh, history = (
        commits_in_order(read_asv(args.directory, since=since, patterns=args.bench), order)
        for since in (args.since, 0.0)
    )
    return _counted(fresh) if args.measure_only else judge_asv(fresh, args.factor, args.commits, history, known)


if __name__ == "__main__":
    sys.exit(main())
