"""The claim about the alternative to equivariance, a plain network with augmented images."""

import statistics
from collections.abc import Sequence

from benchmarks.answers.text_tables import columns
from benchmarks.statistics.over_seeds import DECIDING_SEEDS
from benchmarks.statistics.power import superiority
from benchmarks.studies.pairs import Pair, augmented_plain, separable_and_augmented
from benchmarks.studies.results import StudyResults
from benchmarks.studies.verdict import POWER, Verdict, compare_accuracies, power_cells


def beats_augmentation(results: StudyResults) -> Verdict:
    """Judge claim (d): separable on SE(2), not augmented, is more accurate than plain with augmented images.

    The comparisons of separable with augmentation, and of the other alternatives, are shown as well.
    """
    study = results.decisions.study
    main = separable_and_augmented(study)
    others = [
        (ours, rival)
        for ours in study.contenders
        for rival in augmented_plain(study)
        if ours != rival and (ours, rival) not in main
    ]
    word, lines = compare_accuracies(results, main, threshold=0.0)
    _, more = compare_accuracies(results, others, threshold=0.0, alike=False)
    chances = superiority_lines(results, [*main, *others])
    return Verdict("equivariance beats augmentation", word, [*lines, "the others:", *more, *chances])


def superiority_lines(results: StudyResults, pairs: Sequence[Pair]) -> list[str]:
    """Return the table of how often a run of one contender is more accurate than a run of another, and of the power."""
    rows = [("a − b", "matched by", "a is better in", *POWER)]
    for matched in results.decisions.study.matches:
        for pair in pairs:
            a, b = (results.accuracies(matched, contender) for contender in pair)
            common = sorted(a.keys() & b.keys())
            if len(common) < DECIDING_SEEDS:
                continue
            spread = statistics.stdev(a[seed] - b[seed] for seed in common)
            share = superiority(list(a.values()), list(b.values()))
            name = " − ".join(contender.label for contender in pair)
            rows.append((name, matched, f"{share:.0%}", *power_cells(spread, len(common))))
    note = (
        "a is better in: of all pairs of a run of a and one of b, those in which a is more accurate (ties count half). "
        "Found in 80 %: the difference that a test with these seeds and this spread would find in 80 of 100 studies."
    )
    return [*columns(rows), note] if len(rows) > 1 else []
