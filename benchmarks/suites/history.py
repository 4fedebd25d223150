"""``python -m benchmarks.suites.history``: every step and drift in the results of asv or pytest-benchmark.

The exit status is that of the verdicts: 0 (fine) means that nothing became slower and that a change of ``--at-least``
would have been found, 1 (regressed) that something became slower or larger and is not in ``known.toml``, 3 (undecided)
that a change may be the machine's or may be hidden by noise, 2 that there is nothing to judge. Nothing is measured.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.answers.suite_changes import Found, SuiteHistory, suite_histories
from benchmarks.answers.suite_series import SURE_OF_A_BENCHMARK, SURE_OF_A_KIND
from benchmarks.answers.text_tables import markdown_table
from benchmarks.records.durable import write_whole
from benchmarks.records.known_changes import Known, project_known, read_known
from benchmarks.records.suite_results import (
    Commit,
    commit_order,
    commits_in_order,
    read_asv_rounds,
    read_pytest_benchmark_runs,
)
from benchmarks.statistics.change_points import DRIFT
from benchmarks.statistics.verdicts import AT_LEAST, NOT_COMPARED, STATUS, gravest
from benchmarks.statistics.written import interval, number, percentage, plural
from benchmarks.suites.landmarks import read_landmarks

SHORT = 8
MADE = (
    "`python -m benchmarks.suites.history asv reports/history --write docs/results/history.md` makes this page from "
    "the results of asv in `reports/history/`, which `python -m benchmarks.suites.landmarks` measures."
)
FORM = ".3f"


def read(suite: str, directory: Path, order: Sequence[str]) -> list[Commit]:
    """Return the results of a suite, oldest first; raise ``ValueError`` for a file that the suite did not write."""
    if suite == "asv":
        return commits_in_order(read_asv_rounds(directory), order)
    return read_pytest_benchmark_runs(directory)


def lines_of(history: SuiteHistory, at_least: float, reasons: Mapping[str, str]) -> list[str]:
    """Return the changes of a machine as Markdown: a table for each range of commits, and what would decide the rest.

    Args:
        history: the history of a machine.
        at_least: the size asked about, as a fraction.
        reasons: what commits changed, by their hashes.
    """
    lines = [f"## {history.place}", "", f"Measured: {_measured(history)}.", ""]
    steps: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for one in (*history.machine, *history.found):
        steps.setdefault(_commits(one, reasons), [("what", "changed to", "99 % interval", "benchmarks alone")]).append(
            _row(one)
        )
    for (where, why), rows in steps.items():
        lines += [f"### {where}", "", *([why, ""] if why else []), *markdown_table(rows), ""]
    if not history.series:
        return lines
    return [*lines, *([] if steps else ["Nothing changed.", ""]), *_undecided(history, at_least)]


def _measured(history: SuiteHistory) -> str:
    """Return how much was measured, and what is too little to be judged."""
    commits, needs = plural(len(history.commits), "commit"), f"at least {history.needed} values"
    if not history.series:
        several = sum(len(one.hashes) > 1 for one in history.short)
        where = "both" if len(history.commits) == 2 else "two or more"
        counted = f"{commits}, {plural(several, 'benchmark')} with results at {where}"
        return f"{counted}; a series needs {needs}, so nothing can be judged"
    values = sorted({series.values for series in history.series})
    span = " to ".join(dict.fromkeys(map(str, values[:1] + values[-1:])))
    short = f"; {plural(len(history.short), 'benchmark')} without {needs}, not judged" if history.short else ""
    return f"{commits}, {span} values of a series{short}"


def _commits(one: Found, reasons: Mapping[str, str]) -> tuple[str, str]:
    """Return the range of commits of a change, and what these commits changed."""
    hashes = one.series.hashes[one.change.before + 1 : one.change.after + 1]
    where = f"{one.before[:SHORT]}..{one.after[:SHORT]}"
    if one.change.shape == DRIFT:
        where += f", a drift over {len(hashes)} measured commits"
    elif len(hashes) > 1:
        where += f", most likely {one.at[:SHORT]}" + ("" if one.change.shape == "step" else ", or a drift")
    named = [one.at] if one.at in reasons and one.change.shape != DRIFT else hashes
    why = "; ".join(reasons[hash_] for hash_ in named if hash_ in reasons)
    if one.doubtful:
        why = f"doubtful: the controls changed, too, or there are none. {why}"
    if one.ignored:
        why = f"ignored: {one.ignored.reason}. {why}"
    return where, why.strip()


def _row(one: Found) -> tuple[str, ...]:
    alone = f"{len(one.alone)} of {len(one.series.benchmarks)}" if one.series.of_a_kind else "–"
    if one.alone:
        ends = dict.fromkeys((one.alone[0], one.alone[-1]))
        alone += ": " + " to ".join(f"× {number(end, FORM)}" for end in ends)
    bounds = interval(*one.change.bounds, FORM)
    return one.series.subject, f"× {number(one.change.ratio, FORM)}", bounds, alone


def _undecided(history: SuiteHistory, at_least: float) -> list[str]:
    """Return for each kind the smallest step that the history shows, and how many values a smaller one needs."""
    rows: list[tuple[str, ...]] = [
        ("series", "values", "smallest step found", f"values to find {percentage(at_least)}")
    ]
    for series in history.main_series:
        smallest = history.smallest[series.subject]
        needed = "enough" if smallest <= at_least else str(history.runs_to_find(series, at_least))
        rows.append((series.subject, str(series.values), percentage(smallest), needed))
    explained = (
        "The next table has the step in the middle of the history that is found in four of five cases. A smaller "
        "change is undecided; more values, which are measurements of these commits, decide it."
    )
    return [explained, "", *markdown_table(rows), ""]


def page(histories: Sequence[SuiteHistory], at_least: float, reasons: Mapping[str, str]) -> str:
    """Return the page of landmark commits."""
    rule = (
        f"A change costs {SURE_OF_A_BENCHMARK:g} standard errors in the history of a benchmark, and "
        f"{SURE_OF_A_KIND:g} in that of a kind, the geometric mean over its benchmarks. Times are divided by those of "
        "plain convolutions, whose code is torch's, in the same run. [Track history](../history.md) has the rule, and "
        "how often it errs."
    )
    lines = ["# The history of the code", "", MADE, "", rule, ""]
    for history in histories:
        lines += lines_of(history, at_least, reasons)
    return "\n".join(lines)


def published(folder: Path) -> str:
    """Return the page of the results of landmark commits in a folder, which ``landmarks`` measured."""
    landmarks = read_landmarks()
    order = [one.commit for one in landmarks]
    histories = suite_histories(read("asv", folder, order), order, project_known())
    return page(histories, AT_LEAST, {one.commit: one.reason for one in landmarks})


def main(argv: Sequence[str] | None = None) -> int:
    """Print or write the changes, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suites.history", description=__doc__)
    parser.add_argument("suite", choices=("asv", "pytest-benchmark"), help="the suite that wrote the results")
    parser.add_argument("directory", type=Path, help="its results: .asv/results, results/pytest-benchmark")
    what = "the change asked about, %% (default: %(default)g)"
    parser.add_argument("--at-least", type=float, default=100 * AT_LEAST, metavar="PERCENT", help=what)
    parser.add_argument(
        "--known", type=Path, metavar="FILE", help="thresholds and ignored commits (default: suites/known.toml)"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page of landmark commits instead")
    args = parser.parse_args(argv)
    try:
        known = read_known(args.known) if args.known else project_known()
        if not args.at_least > 0:
            raise ValueError(f"--at-least {args.at_least:g} is not allowed; allowed: a percentage above 0")
        if args.write:
            write_whole(args.write, published(args.directory).encode())
            return 0
        histories = _histories(args.suite, args.directory, known)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return STATUS[NOT_COMPARED]
    for history in histories:
        print(*lines_of(history, args.at_least / 100, {}), sep="\n")
    word = gravest(history.word(args.at_least / 100) for history in histories)
    print(word)
    return STATUS[word]


def _histories(suite: str, directory: Path, known: Known) -> list[SuiteHistory]:
    order = commit_order()
    commits = read(suite, directory, order)
    if not commits:
        raise ValueError(f"{directory} has no results of {suite}; allowed: a folder that the suite wrote")
    return suite_histories(commits, order, known)


if __name__ == "__main__":
    sys.exit(main())
