"""Verdicts on claims: a study supports a claim, contradicts it or cannot decide.

The paper's (Knigge, Romero, Bekkers 2022): (a) kernels are redundant along the group; (b) separable kernels match or
beat full kernels at a fraction of the training time; (c) Sim(2), which separable kernels make affordable, helps
further. And one more: (d) equivariance beats augmentation. The criteria were fixed before any training: the margin, the
tests and the tested quantities.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.answers.text_tables import columns
from benchmarks.records.record import Record
from benchmarks.statistics.comparison import FAMILY_ERROR_RATE, INTERVAL, Comparison, Rounds, compare_rounds
from benchmarks.statistics.over_seeds import DECIDING_SEEDS, Estimate, Test, paired_tests
from benchmarks.statistics.power import detectable, seeds_to_find, superiority
from benchmarks.statistics.written import interval, number
from benchmarks.studies.contenders import Contender
from benchmarks.studies.results import StudyResults, percent_interval

# The largest loss of accuracy, a fraction, at which a network still counts as equally accurate.
MARGIN = 0.01
# Kernels are redundant when one spatial kernel, shared along H, explains more than this share of their energy, and more
# than its share of the energy of independent random numbers. The latter is large where H has few elements.
MOST = 0.5
CHANCE_DRAWS = 200
# Widths are integers, so some miss their budget by far. Pairs whose costs differ by more than this factor are shown
# but left out of the verdicts.
EQUAL = 1.25
# Names in ``gcnn_impl.redundancy``: one spatial kernel shared along H, and one shared by all input channels as well.
SHARED_ALONG_GROUP, SHARED_BY_CHANNELS_TOO = "gseparable", "separable"
LAST_KERNEL_SIZE = 3


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


def verdicts(results: StudyResults) -> list[Verdict]:
    """Judge the claims for which the study has contenders."""
    kinds = {(contender.variant, contender.group) for contender in results.decisions.study.contenders}
    separable, full, sim2 = ("separable", "SO2"), ("full", "SO2"), ("separable", "SO2xRPlus")
    judged = [
        ({full}, redundant_kernels),
        ({separable, full}, separable_matches_full),
        ({separable, sim2}, sim2_helps),
    ]
    found = [judge(results) for needed, judge in judged if needed <= kinds]
    return found + ([beats_augmentation(results)] if separable in kinds and _augmented_plain(results) else [])


def redundant_kernels(results: StudyResults) -> Verdict:
    """Judge claim (a): in trained full networks, one spatial kernel shared along H explains most of the energy."""
    matched = results.decisions.study.matches[0]
    measured = []
    for contender in _on_groups(results, "full", "SO2"):
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
    word = _common_word([test.word for test in tests])
    return Verdict("kernels are redundant along the group", word, [*columns(rows), note])


def separable_matches_full(results: StudyResults) -> Verdict:
    """Judge claim (b): separable is at most the margin less accurate than full, and its training step is faster."""
    matches = results.decisions.study.matches
    matched = next((match for match in matches if match != "time"), matches[0])
    pairs = _pairs(results, ("separable", "SO2"), ("full", "SO2"), lambda contender: contender.resolution)
    accuracy, lines = _compare_accuracies(results, pairs, threshold=-MARGIN)
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
    word = "contradicts" if "contradicts" in (accuracy, time) else _common_word([accuracy, time])
    evidence = [*lines, *columns(rows), f"accuracy: {accuracy}; a fraction of the time: {time}"]
    return Verdict("separable matches or beats full at a fraction of the training time", word, evidence)


def sim2_helps(results: StudyResults) -> Verdict:
    """Judge claim (c): separable on Sim(2) is more accurate than separable on SE(2) with the same rotations.

    The claim is about a larger group for the same budget. The comparison at the same |H|, where scales replace
    rotations, is shown as well.
    """
    kinds = ("separable", "SO2xRPlus"), ("separable", "SO2")
    same_rotations = _pairs(results, *kinds, lambda contender: contender.resolution // contender.scales)
    same_size = _pairs(results, *kinds, lambda contender: contender.resolution)
    word, lines = _compare_accuracies(results, same_rotations, threshold=0.0)
    _, others = _compare_accuracies(results, same_size, threshold=0.0)
    return Verdict("Sim(2) helps further", word, ["with the same rotations:", *lines, "with the same |H|:", *others])


def beats_augmentation(results: StudyResults) -> Verdict:
    """Judge claim (d): separable on SE(2), not augmented, is more accurate than plain with augmented images.

    The comparisons of separable with augmentation, and of the other alternatives, are shown as well.
    """
    rivals = _augmented_plain(results)
    main = [(ours, rival) for ours in _on_groups(results, "separable", "SO2") for rival in rivals]
    others = [
        (ours, rival)
        for ours in results.decisions.study.contenders
        for rival in rivals
        if ours != rival and (ours, rival) not in main
    ]
    word, lines = _compare_accuracies(results, main, threshold=0.0)
    _, more = _compare_accuracies(results, others, threshold=0.0)
    chances = superiority_lines(results, [*main, *others])
    return Verdict("equivariance beats augmentation", word, [*lines, "the others:", *more, *chances])


def superiority_lines(results: StudyResults, pairs: Sequence[tuple[Contender, Contender]]) -> list[str]:
    """Return the table of how often a run of one contender is more accurate than a run of another, and of the power."""
    rows = [("a − b", "matched by", "a is better in", "found in 80 %, points", "seeds for 1 point")]
    for matched in results.decisions.study.matches:
        for pair in pairs:
            a, b = (results.accuracies(matched, contender) for contender in pair)
            common = sorted(a.keys() & b.keys())
            if len(common) < DECIDING_SEEDS:
                continue
            spread = statistics.stdev(a[seed] - b[seed] for seed in common)
            share = superiority(list(a.values()), list(b.values()))
            name = " − ".join(contender.label for contender in pair)
            size = f"{100 * detectable(spread, len(common)):.1f}"
            rows.append((name, matched, f"{share:.0%}", size, str(seeds_to_find(MARGIN, spread))))
    note = (
        "a is better in: of all pairs of a run of a and one of b, those in which a is more accurate (ties count half). "
        "Found in 80 %: the difference that a test with these seeds and this spread would find in 80 of 100 studies."
    )
    return [*columns(rows), note] if len(rows) > 1 else []


@dataclass(frozen=True)
class Redundancy:
    """Shares of a layer's energy that one spatial kernel, shared along H, explains.

    Args:
        before, after: shares at the start and in the best epoch.
        threshold: share above which the layer counts as redundant.
        channels_too: share in the best epoch when all input channels share the kernel as well.
    """

    before: float
    after: float
    threshold: float
    channels_too: float


def layer_redundancy(record: Record) -> dict[str, Redundancy]:
    """Return the redundancy of each layer but the skip convolutions, whose kernels of one tap are always redundant."""
    epochs, run = record["epochs"], record["run"]
    best_epoch = next(epoch for epoch in epochs if epoch["epoch"] == record["best_epoch"])
    bests = best_epoch.get("redundancy") or {}
    found = {}
    for name, start in (epochs[0].get("redundancy") or {}).items():
        best = bests.get(name, {})
        known = all({SHARED_ALONG_GROUP, SHARED_BY_CHANNELS_TOO} <= shares.keys() for shares in (start, best))
        if "skip" in name or not known:
            continue
        size = LAST_KERNEL_SIZE if name == "last" else run["kernel_size"]
        found[name] = Redundancy(
            start[SHARED_ALONG_GROUP],
            best[SHARED_ALONG_GROUP],
            max(MOST, chance(run["resolution"], disc_size(size))),
            best[SHARED_BY_CHANNELS_TOO],
        )
    return found


def redundancy_lines(results: StudyResults, matched: str) -> list[str]:
    """Return the table of the redundancy of each layer in full networks: means over seeds, in %."""
    rows = [("full", "layer", "shared along H: at the start", "after training", "by input channels too", "n")]
    for contender in _on_groups(results, "full", "SO2"):
        networks = [layer_redundancy(record) for record in results.records[matched, contender]]
        for name in networks[0] if networks else ():
            known = [layers[name] for layers in networks if name in layers]
            before, after, too = (
                f"{100 * statistics.mean(getattr(layer, part) for layer in known):.1f}"
                for part in ("before", "after", "channels_too")
            )
            rows.append((f"|H|={contender.resolution}", name, before, after, too, str(len(known))))
    return columns(rows)


def chance(resolution: int, taps: int) -> float:
    """Return the share of energy of |H| × taps independent normal numbers that one shared spatial kernel explains."""
    draws = np.random.default_rng(0).normal(size=(CHANCE_DRAWS, resolution, taps))
    largest = np.linalg.svd(draws, compute_uv=False)[:, 0] ** 2
    return float(np.mean(largest / np.square(draws).sum(axis=(1, 2))))


def disc_size(kernel_size: int) -> int:
    """Return the number of taps of a k × k kernel inside its disc; group kernels are 0 outside the disc."""
    r = (kernel_size - 1) // 2
    return sum(i * i + j * j <= r * r for i in range(-r, r + 1) for j in range(-r, r + 1))


def _on_groups(results: StudyResults, variant: str, group: str) -> list[Contender]:
    """Return the contenders of a variant and a group with |H| > 1, without augmentation."""
    return [
        contender
        for contender in results.decisions.study.contenders
        if (contender.variant, contender.group) == (variant, group)
        and contender.resolution > 1
        and contender.augmentation == "none"
    ]


def _augmented_plain(results: StudyResults) -> list[Contender]:
    contenders = results.decisions.study.contenders
    return [each for each in contenders if each.variant == "plain" and each.augmentation != "none"]


def _pairs(
    results: StudyResults, kind: tuple[str, str], other: tuple[str, str], same: Callable[[Contender], int]
) -> list[tuple[Contender, Contender]]:
    """Pair contenders of two kinds, each a (variant, group), if ``same`` returns equal numbers for both."""
    ours, others = _on_groups(results, *kind), _on_groups(results, *other)
    return [(a, b) for a in ours for b in others if same(a) == same(b)]


def _compare_accuracies(
    results: StudyResults, pairs: Sequence[tuple[Contender, Contender]], *, threshold: float
) -> tuple[str, list[str]]:
    """Test differences of test accuracies against a threshold; return the common word of all matches, and the table.

    For the word, each match is tested by the mean over its pairs in every seed. The tests of single pairs are corrected
    as a separate family.
    """
    single: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    pooled: dict[str, tuple[list[float], list[float]]] = {}
    for matched in results.decisions.study.matches:
        sides = []
        for contenders in pairs:
            a, b = (results.accuracies(matched, contender) for contender in contenders)
            common = sorted(a.keys() & b.keys())
            name = " − ".join(contender.label for contender in contenders)
            ratios = [results.decisions.widths[matched, contender].ratio for contender in contenders]
            if max(ratios) <= EQUAL * min(ratios):
                sides.append((a, b))
            else:
                name += f", {ratios[0]:.2f}× and {ratios[1]:.2f}× of the budget: not in the mean"
            single[matched, name] = [a[seed] for seed in common], [b[seed] for seed in common]
        seeds = sorted(set.intersection(*(a.keys() & b.keys() for a, b in sides))) if sides else []
        pooled[matched] = (
            [statistics.mean(a[seed] for a, _ in sides) for seed in seeds],
            [statistics.mean(b[seed] for _, b in sides) for seed in seeds],
        )
    over_all = paired_tests(list(pooled.values()), threshold=threshold, step=results.test_step / max(len(pairs), 1))
    of_each = paired_tests(list(single.values()), threshold=threshold, step=results.test_step)
    tests = dict(zip(single, of_each, strict=True))
    rows: list[tuple[str, ...]] = [("test accuracy", "points [95 %]", "p (Holm)", "n", "")]
    for matched, test in zip(pooled, over_all, strict=True):
        rows.append(_test_row(f"matched by {matched}: mean", test))
        rows += [_test_row(f"  {name}", tests[match, name]) for match, name in single if match == matched]
    note = (
        f"Paired t tests over seeds of a difference of {100 * threshold:g} points, two-sided, {FAMILY_ERROR_RATE:.0%}; "
        f"Holm over the {len(over_all)} means, and over the {len(of_each)} others."
    )
    return _common_word([test.word for test in over_all]), [*columns(rows), note]


def _test_row(name: str, test: Test) -> tuple[str, ...]:
    return name, percent_interval(test.difference), f"{test.adjusted:.3f}", str(test.difference.n), test.word


def _ratio_text(compared: Comparison) -> str:
    return f"{number(compared.ratio, '.2f')} {interval(compared.low, compared.high, '.2f')}"


def _geometric_mean(contenders: Sequence[Rounds]) -> Rounds:
    """Return, for each round, the geometric mean of the contenders' medians."""
    logs = [[math.log(statistics.median(samples)) for samples in rounds] for rounds in contenders]
    return [[math.exp(statistics.mean(each))] for each in zip(*logs, strict=True)]


def _common_word(words: Sequence[str]) -> str:
    """Return the word if all words are equal, else "cannot decide"."""
    return words[0] if len(set(words)) == 1 else "cannot decide"
