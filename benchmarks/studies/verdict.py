"""What verdicts on claims consist of: paired tests of accuracies between contenders of a study."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.answers.text_tables import columns
from benchmarks.statistics.comparison import FAMILY_ERROR_RATE
from benchmarks.statistics.over_seeds import Test, paired_tests
from benchmarks.statistics.power import MOST_SEEDS, detectable, seeds_to_find
from benchmarks.studies.pairs import Pair
from benchmarks.studies.results import StudyResults, percent_interval

# The largest loss of accuracy, a fraction, at which a network still counts as equally accurate.
MARGIN = 0.01
# The headings of what a number of seeds can find.
POWER = ("found in 80 %, points", "seeds for 1 point")
# Widths are integers, so some miss their budget by far. Pairs whose costs differ by more than this factor are shown
# but left out of the verdicts.
EQUAL = 1.25


@dataclass(frozen=True)
class Verdict:
    """The study's verdict on a claim.

    Args:
        claim: the claim, in one line.
        word: "supports", "contradicts" or "cannot decide".
        evidence: lines with the numbers, their intervals, n and the test.
    """

    claim: str
    word: str
    evidence: Sequence[str]


def compare_accuracies(
    results: StudyResults, pairs: Sequence[Pair], *, threshold: float, alike: bool = True
) -> tuple[str, list[str]]:
    """Test differences of test accuracies against a threshold; return the common word of all matches, and the table.

    For the word, each match is tested by the mean over its pairs in every seed. The tests of single pairs are corrected
    as a separate family.

    Args:
        threshold: threshold of the differences, a fraction.
        alike: whether the pairs are alike, so that their mean says something; otherwise it is left out.
    """
    single: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    for matched in results.decisions.study.matches:
        for contenders in pairs:
            a, b = (results.accuracies(matched, contender) for contender in contenders)
            common = sorted(a.keys() & b.keys())
            name = " − ".join(contender.label for contender in contenders)
            if not costs_alike(results, matched, contenders):
                ratios = [results.decisions.widths[matched, contender].ratio for contender in contenders]
                name += f", {ratios[0]:.2f}× and {ratios[1]:.2f}× of the budget: not in the mean"
            single[matched, name] = [a[seed] for seed in common], [b[seed] for seed in common]
    pooled = {matched: mean_accuracies(results, matched, pairs) for matched in results.decisions.study.matches}
    means = list(pooled.values()) if alike else []
    over_all = paired_tests(means, threshold=threshold, step=results.test_step / max(len(pairs), 1))
    of_each = paired_tests(list(single.values()), threshold=threshold, step=results.test_step)
    tests = dict(zip(single, of_each, strict=True))
    rows: list[tuple[str, ...]] = [("test accuracy", "points [95 %]", "p (Holm)", "n", "")]
    for place, matched in enumerate(pooled):
        nothing = (f"matched by {matched}", "", "", "", "")
        rows.append(_test_row(f"matched by {matched}: mean", over_all[place]) if alike else nothing)
        rows += [_test_row(f"  {name}", tests[match, name]) for match, name in single if match == matched]
    family = f"the {len(over_all)} means, and over the {len(of_each)} others" if alike else f"all {len(of_each)}"
    note = (
        f"Paired t tests over seeds of a difference of {100 * threshold:g} points, two-sided, {FAMILY_ERROR_RATE:.0%}; "
        f"Holm over {family}."
    )
    return common_word([test.word for test in over_all]), [*columns(rows), note]


def costs_alike(results: StudyResults, matched: str, pair: Pair) -> bool:
    """Return whether both contenders meet the budget nearly equally, so that verdicts may compare them."""
    ratios = [results.decisions.widths[matched, contender].ratio for contender in pair]
    return max(ratios) <= EQUAL * min(ratios)


def mean_accuracies(results: StudyResults, matched: str, pairs: Sequence[Pair]) -> tuple[list[float], list[float]]:
    """Return the mean test accuracies of the pairs' first and second contenders, for each seed that all pairs have.

    Pairs whose costs differ are left out.
    """
    kept = [pair for pair in pairs if costs_alike(results, matched, pair)]
    sides = [[results.accuracies(matched, contender) for contender in pair] for pair in kept]
    seeds = sorted(set.intersection(*(a.keys() & b.keys() for a, b in sides))) if sides else []
    first, second = ([statistics.mean(pair[side][seed] for pair in sides) for seed in seeds] for side in (0, 1))
    return first, second


def power_cells(deviation: float, seeds: int) -> tuple[str, str]:
    """Return the cells of the columns ``POWER``, of differences with this standard deviation over some seeds."""
    needed = seeds_to_find(MARGIN, deviation)
    return f"{100 * detectable(deviation, seeds):.1f}", f"{MOST_SEEDS} or more" if needed is None else str(needed)


def common_word(words: Sequence[str]) -> str:
    """Return the word if all words are equal, else "cannot decide"."""
    return words[0] if len(set(words)) == 1 else "cannot decide"


def _test_row(name: str, test: Test) -> tuple[str, ...]:
    return name, percent_interval(test.difference), f"{test.adjusted:.3f}", str(test.difference.n), test.word
