"""What a run of the asv or the pytest-benchmark suite has shown: results are counted first, then judged.

Exit statuses of the suites say little: asv's 1 means "regressed", "nothing measured" and "no such commit" alike. So
their files are read, and the word is one of four: "fine" (exit status 0), "regressed" (1), "failed" and "measured
nothing" (2). This module needs the standard library alone.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.records.suite_results import Commit, commit_order, fastest, in_order, read_asv, read_pytest_benchmark
from benchmarks.statistics.regression import Results, comparable, has_regressed, ratio

EXIT_STATUS = {"fine": 0, "regressed": 1, "failed": 2, "measured nothing": 2}


@dataclass(frozen=True)
class Judgement:
    """A key of ``EXIT_STATUS``, and the lines that say why."""

    word: str
    lines: tuple[str, ...]


def judge(after: Results, before: Results | None, factor: float) -> Judgement:
    """What to make of the results of a run.

    A benchmark has regressed when its median is over ``factor`` times what it was and its lower quartile lies above
    the upper one of before. An interval of the median would be too narrow: it knows nothing of the next process, which
    on a shared host may run at another speed. Of samples from several processes, one slow one moves no lower quartile.

    Args:
        after: the results in question.
        before: what they are compared with; None for no comparison.
        factor: the noise floor.
    """
    failed = sorted(name for name, result in after.items() if result.value is None)
    measured = sorted(name for name, result in after.items() if result.measured)
    lines = [f"failed: {name}" for name in failed]
    lines.append(f"{len(measured)} measured, {len(failed)} failed, {len(after) - len(measured) - len(failed)} skipped")
    if before is None:
        return Judgement("failed" if failed else "fine" if measured else "measured nothing", tuple(lines))

    pairs = [(name, before[name], after[name]) for name in measured if comparable(name, before.get(name), after[name])]
    regressed = [
        f"regressed: {name}: {old.value:.4g} → {new.value:.4g}, × {ratio(old, new):.3g}"
        for name, old, new in pairs
        if has_regressed(old, new, factor)
    ]
    lines += [*regressed, f"{len(pairs)} compared, {len(regressed)} regressed by more than × {factor:g}"]
    word = "failed" if failed else "measured nothing" if not pairs else "regressed" if regressed else "fine"
    return Judgement(word, tuple(lines))


def judge_asv(commits: Sequence[Commit], factor: float, wanted: Sequence[str] = ()) -> Judgement:
    """Judge each commit beside the one before it on the same machine; the gravest word counts.

    Args:
        commits: oldest first.
        factor: the noise floor.
        wanted: hashes of commits, to be judged alone and in this order; all if there are none.
    """
    there = {commit.hash for commit in commits}
    if not commits or not there.issuperset(wanted):
        missing = ", ".join(hash_[:8] for hash_ in wanted if hash_ not in there) or "any commit"
        return Judgement("measured nothing", (f"this run left no result of {missing}",))
    if wanted:
        commits = [commit for hash_ in wanted for commit in commits if commit.hash == hash_]
    judgements, before = [], dict[str, Commit]()
    for commit in commits:
        older = before.get(commit.place)
        title = commit.hash[:8] + (f" after {older.hash[:8]}" if older else "") + f" on {commit.place}"
        judgement = judge(commit.results, older.results if older else None, factor)
        judgements.append(Judgement(judgement.word, (f"{title}: {judgement.word}", *judgement.lines)))
        before[commit.place] = commit
    return _gravest(judgements)


def judge_pytest_benchmark(files: Sequence[Path], before: Path | None, factor: float) -> Judgement:
    """Judge the files of one run, or of a run and its repetitions, of which the fastest counts.

    pytest-benchmark measures in one process, and other processes only ever slow it down.
    """
    if not files:
        return Judgement("measured nothing", ("pytest-benchmark saved no file",))
    after = fastest([read_pytest_benchmark(path) for path in files])
    judgement = judge(after, read_pytest_benchmark(before) if before else None, factor)
    names = ", ".join(path.name for path in files)
    title = f"{names} after {before.name}" if before else f"{names}, with nothing before"
    return Judgement(judgement.word, (f"{title}: {judgement.word}", *judgement.lines))


def _gravest(judgements: Sequence[Judgement]) -> Judgement:
    order = list(EXIT_STATUS)
    word = max((judgement.word for judgement in judgements), key=order.index)
    return Judgement(word, tuple(line for judgement in judgements for line in judgement.lines))


def main(argv: Sequence[str] | None = None) -> int:
    """Read, count, judge, and print what came out; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.suites.gate", description=(__doc__ or "").split("\n")[0]
    )
    suites = parser.add_subparsers(dest="suite", required=True)
    asv = suites.add_parser("asv", help="commits in asv's results, each beside the one before")
    asv.add_argument("directory", type=Path, help="results_dir of asv.conf.json")
    asv.add_argument("--commits", nargs="+", default=(), help="these alone, in this order (default: all, by date)")
    asv.add_argument("-b", "--bench", action="append", default=[], help="only benchmarks that match")
    asv.add_argument("--since", type=float, default=0.0, help="seconds of the epoch: what was begun since then")
    pytest = suites.add_parser("pytest-benchmark", help="a run's file beside that of an earlier run")
    pytest.add_argument("files", type=Path, nargs="*", help="of the run, and of its repetitions if there are any")
    pytest.add_argument("--before", type=Path, metavar="FILE", help="of the earlier run (default: none)")
    for suite in (asv, pytest):
        suite.add_argument("--factor", type=float, required=True, help="the noise floor, such as 1.1")
    args = parser.parse_args(argv)
    try:
        if args.suite == "asv":
            judgement = judge_asv(
                in_order(read_asv(args.directory, since=args.since, patterns=args.bench), commit_order()),
                args.factor,
                args.commits,
            )
        else:
            judgement = judge_pytest_benchmark(args.files, args.before, args.factor)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(*judgement.lines, sep="\n")
    print(judgement.word)
    return EXIT_STATUS[judgement.word]


if __name__ == "__main__":
    sys.exit(main())
