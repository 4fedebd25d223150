"""The gate: it counts and judges the results of a run of the asv or the pytest-benchmark suite.

The suites' exit statuses are ambiguous: status 1 of asv means "regressed", "nothing measured" or "no such commit".
The gate reads the result files instead, and says "fine" (exit status 0), "regressed" (1), "failed" or "measured
nothing" (2). This program needs only the standard library.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.records.suite_results import (
    Commit,
    commit_order,
    commits_in_order,
    fastest,
    read_asv,
    read_pytest_benchmark,
)
from benchmarks.statistics.regression import BenchmarkResults, comparable, has_regressed, ratio_of_medians

EXIT_STATUS = {"fine": 0, "regressed": 1, "failed": 2, "measured nothing": 2}


@dataclass(frozen=True)
class Judgement:
    """The ``word`` of a judgement, a key of ``EXIT_STATUS``, and lines with the reasons."""

    word: str
    lines: tuple[str, ...]


def judge(after: BenchmarkResults, before: BenchmarkResults | None, factor: float) -> Judgement:
    """Judge the results of a run, compared with those of an earlier run if there are any.

    A benchmark has regressed when its median exceeds ``factor``, the noise floor, times the earlier median, and its
    lower quartile exceeds the earlier upper quartile. An interval of the median would be too narrow, because the next
    process may run at another speed on a shared host. One slow process among several does not move the lower quartile.
    """
    failed = sorted(name for name, result in after.items() if result.value is None)
    measured = sorted(name for name, result in after.items() if result.measured)
    lines = [f"failed: {name}" for name in failed]
    lines.append(f"{len(measured)} measured, {len(failed)} failed, {len(after) - len(measured) - len(failed)} skipped")
    if before is None:
        return Judgement("failed" if failed else "fine" if measured else "measured nothing", tuple(lines))

    pairs = [(name, before[name], after[name]) for name in measured if comparable(name, before.get(name), after[name])]
    regressed = [
        f"regressed: {name}: {old.value:.4g} → {new.value:.4g}, × {ratio_of_medians(old, new):.3g}"
        for name, old, new in pairs
        if has_regressed(old, new, factor)
    ]
    lines += [*regressed, f"{len(pairs)} compared, {len(regressed)} regressed by more than × {factor:g}"]
    word = "failed" if failed else "measured nothing" if not pairs else "regressed" if regressed else "fine"
    return Judgement(word, tuple(lines))


def judge_asv(commits: Sequence[Commit], factor: float, wanted: Sequence[str] = ()) -> Judgement:
    """Judge each commit, compared with the one before it on the same machine, and return the gravest word.

    Args:
        commits: the commits, oldest first.
        factor: the noise floor.
        wanted: hashes of the commits to judge, in this order; all if empty.
    """
    there = {commit.hash for commit in commits}
    if not commits or not there.issuperset(wanted):
        missing = ", ".join(hash_[:8] for hash_ in wanted if hash_ not in there) or "any commit"
        return Judgement("measured nothing", (f"this run has no result for {missing}",))
    if wanted:
        commits = [commit for hash_ in wanted for commit in commits if commit.hash == hash_]
    judgements, before = [], dict[str, Commit]()
    for commit in commits:
        older = before.get(commit.place)
        title = commit.hash[:8] + (f" after {older.hash[:8]}" if older else "") + f" on {commit.place}"
        judgements.append(_titled(title, judge(commit.results, older.results if older else None, factor)))
        before[commit.place] = commit
    word = max((judgement.word for judgement in judgements), key=list(EXIT_STATUS).index)
    return Judgement(word, tuple(line for judgement in judgements for line in judgement.lines))


def judge_pytest_benchmark(files: Sequence[Path], before: Path | None, factor: float) -> Judgement:
    """Judge each benchmark by its fastest result in all ``files``, because other processes can only slow it down."""
    if not files:
        return Judgement("measured nothing", ("pytest-benchmark saved no file",))
    after = fastest([read_pytest_benchmark(path) for path in files])
    names = ", ".join(path.name for path in files)
    title = f"{names} after {before.name}" if before else f"{names}, without an earlier file"
    return _titled(title, judge(after, read_pytest_benchmark(before) if before else None, factor))


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
    pytest.add_argument("--before", type=Path, metavar="FILE", help="file of the earlier run (default: none)")
    for suite in (asv, pytest):
        suite.add_argument("--factor", type=float, required=True, help="the noise floor, such as 1.1")
    args = parser.parse_args(argv)
    try:
        if args.suite == "asv":
            commits = commits_in_order(read_asv(args.directory, since=args.since, patterns=args.bench), commit_order())
            judgement = judge_asv(commits, args.factor, args.commits)
        else:
            judgement = judge_pytest_benchmark(args.files, args.before, args.factor)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(*judgement.lines, judgement.word, sep="\n")
    return EXIT_STATUS[judgement.word]


if __name__ == "__main__":
    sys.exit(main())
