"""Verdicts on claims: a study supports a claim, contradicts it or cannot decide.

The paper's (Knigge, Romero, Bekkers 2022): (a) kernels are redundant along the group; (b) separable kernels match or
beat full kernels at a fraction of the training time; (c) Sim(2), which separable kernels make affordable, helps
further. And one more: (d) equivariance beats augmentation. The criteria were fixed before any training: the margin, the
tests and the tested quantities.
"""

import math
import statistics
from collections.abc import Sequence

from benchmarks.answers.text_tables import columns
from benchmarks.statistics.comparison import FAMILY_ERROR_RATE, INTERVAL, Comparison, Rounds, compare_rounds
from benchmarks.statistics.over_seeds import Estimate, paired_tests
from benchmarks.statistics.written import interval, number
from benchmarks.studies.alternatives import beats_augmentation
from benchmarks.studies.pairs import on_groups, separable_and_augmented, separable_and_full, sim2_and_separable
from benchmarks.studies.redundancy import MOST, layer_redundancy
from benchmarks.studies.results import StudyResults, percent_interval
from benchmarks.studies.verdict import MARGIN, Verdict, common_word, compare_accuracies


def verdicts(results: StudyResults) -> list[Verdict]:
    """Judge the claims for which the study has contenders."""
    study = results.decisions.study
    kinds = {(contender.variant, contender.group) for contender in study.contenders}
    separable, full, sim2 = ("separable", "SO2"), ("full", "SO2"), ("separable", "SO2xRPlus")
    judged = [
        ({full}, redundant_kernels),
        ({separable, full}, separable_matches_full),
        ({separable, sim2}, sim2_helps),
    ]
    found = [judge(results) for needed, judge in judged if needed <= kinds]
    return [*found, beats_augmentation(results)] if separable_and_augmented(study) else found


def redundant_kernels(results: StudyResults) -> Verdict:
    """Judge claim (a): in trained full networks, one spatial kernel shared along H explains most of the energy."""
    matched = results.decisions.study.matches[0]
    measured = []
    for contender in on_groups(results.decisions.study, "full", "SO2"):
        each = (layer_redundancy(record).values() for record in results.records[matched, contender])
        networks = [layers for layers in each if layers]
        after, before, thresholds = (
            [statistics.mean(getattr(layer, part) for layer in layers) for layers in networks]
            for part in ("after", "before", "threshold")
        )
        measured.append((contender, after, before, thresholds))
    tests = paired_tests([(after, thresholds) for _, after, _, thresholds in measured])
    rows = [("full, after training", "explained, % [95 %]", "threshold, %", "at the start, %", "n", "")]
    for (contender, after, before, thresholds), test in zip(measured, tests, strict=True):
        if after:
            found, threshold = test.difference, statistics.mean(thresholds)
            level = Estimate(threshold + found.mean, threshold + found.low, threshold + found.high, found.n)
            start = f"{100 * statistics.mean(before):.1f}"
            cells = (percent_interval(level), f"{100 * threshold:.0f}", start, str(len(after)), test.word)
            rows.append((f"|H|={contender.resolution}", *cells))
    note = (
        "Mean over layers of the energy that one spatial kernel, shared along H, explains of each pair of channels; "
        f"threshold: {MOST:.0%}, or the share explained of independent random numbers where that is larger. "
        f"Two-sided t test over seeds, Holm over {len(tests)}, {FAMILY_ERROR_RATE:.0%}."
    )
    word = common_word([test.word for test in tests])
    return Verdict("kernels are redundant along the group", word, [*columns(rows), note])


def separable_matches_full(results: StudyResults) -> Verdict:
    """Judge claim (b): separable is at most the margin less accurate than full, and its training step is faster."""
    matches = results.decisions.study.matches
    matched = next((match for match in matches if match != "time"), matches[0])
    pairs = separable_and_full(results.decisions.study)
    accuracy, lines = compare_accuracies(results, pairs, threshold=-MARGIN)
    rows = [(f"a training step, full / separable, matched by {matched}", f"time [{INTERVAL}]")]
    rounds = [[results.decisions.rounds(matched, contender) for contender in pair] for pair in pairs]
    for (_, full), (a, b) in zip(pairs, rounds, strict=True):
        rows.append((f"|H|={full.resolution}", _ratio_text(compare_rounds(a, b, 0.0))))
    time = "cannot decide"
    if pairs:
        separable, full_networks = (_geometric_mean(sides) for sides in zip(*rounds, strict=True))
        overall = compare_rounds(separable, full_networks, 0.0)
        rows.append(("geometric mean", _ratio_text(overall)))
        if matched != "time":  # widths that were chosen to take the same time say nothing about time
            time = {"slower": "supports", "faster": "contradicts"}.get(overall.word, "cannot decide")
    # The claim needs both parts, so a study that contradicts one part contradicts the claim.
    word = "contradicts" if "contradicts" in (accuracy, time) else common_word([accuracy, time])
    evidence = [*lines, *columns(rows), f"accuracy: {accuracy}; a fraction of the time: {time}"]
    return Verdict("separable matches or beats full at a fraction of the training time", word, evidence)


def sim2_helps(results: StudyResults) -> Verdict:
    """Judge claim (c): separable on Sim(2) is more accurate than separable on SE(2) with the same rotations.

    The claim is about a larger group for the same budget. The comparison at the same |H|, where scales replace
    rotations, is shown as well.
    """
    study = results.decisions.study
    word, lines = compare_accuracies(results, sim2_and_separable(study, same_rotations=True), threshold=0.0)
    _, others = compare_accuracies(results, sim2_and_separable(study, same_rotations=False), threshold=0.0)
    return Verdict("Sim(2) helps further", word, ["with the same rotations:", *lines, "with the same |H|:", *others])


def _ratio_text(compared: Comparison) -> str:
    return f"{number(compared.ratio, '.2f')} {interval(compared.low, compared.high, '.2f')}"


def _geometric_mean(contenders: Sequence[Rounds]) -> Rounds:
    """Return, for each round, the geometric mean of the contenders' medians."""
    logs = [[math.log(statistics.median(samples)) for samples in rounds] for rounds in contenders]
    return [[math.exp(statistics.mean(each))] for each in zip(*logs, strict=True)]
