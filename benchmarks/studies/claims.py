"""The paper's three claims, and what a study says about each: supports, contradicts or cannot decide. Pure.

Knigge, Romero, Bekkers 2022: kernels are redundant along the group; separable kernels match or beat full ones at a
fraction of the training time; and Sim(2), which they make affordable, helps further. What each word takes was fixed
before anything was trained: the margin, the tests, and what they are about, which is the mean over all |H| > 1.
"""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.answers.text_tables import columns
from benchmarks.records.record import Record
from benchmarks.statistics.comparison import INTERVAL, Comparison, Rounds, compare_rounds
from benchmarks.statistics.over_seeds import ERROR_RATE, Estimate, Test, paired_tests
from benchmarks.studies.results import Results, percent
from benchmarks.studies.study import Contender

# As accurate as another is what is not worse by this, a fraction.
MARGIN = 0.01
# Redundant is what one spatial kernel, shared along H, explains more than half of …
MOST = 0.5
# … and more than it would of independent random numbers: of a few group elements, it explains much of anything.
CHANCE_DRAWS = 200
# Widths are integers, and some come nowhere near a budget: where two differ by more than this factor in what is meant
# to be equal, they are shown, and no word rests on them.
EQUAL = 1.25
# As ``gcnn_impl.redundancy`` names them: one spatial kernel for all of H; and for all input channels too.
SHARED_ALONG_GROUP, SHARED_BY_CHANNELS_TOO = "gseparable", "separable"
LAST_KERNEL_SIZE = 3


@dataclass(frozen=True)
class Verdict:
    """What the study says about a claim.

    Args:
        claim: in one line.
        word: of ``seeds.WORDS``.
        evidence: the numbers, with intervals, n and test.
    """

    claim: str
    word: str
    evidence: Sequence[str]


def verdicts(results: Results) -> list[Verdict]:
    """All three."""
    return [redundant_kernels(results), separable_matches_full(results), sim2_helps(results)]


def redundant_kernels(results: Results) -> Verdict:
    """(a) In trained full networks, one spatial kernel shared along H explains most of the energy."""
    matched = results.decisions.study.matches[0]
    rows, pairs = [("full, after training", "explained, % [95 %]", "threshold, %", "at the start, %", "n", "")], []
    for contender in _on_groups(results, "full", "SO2"):
        after, before, thresholds = [], [], []
        for record in results.records[matched, contender]:
            layers = layer_redundancy(record)
            after.append(statistics.mean(layer.after for layer in layers.values()))
            before.append(statistics.mean(layer.before for layer in layers.values()))
            thresholds.append(statistics.mean(layer.threshold for layer in layers.values()))
        pairs.append((contender, after, before, thresholds))
    tests = paired_tests([(after, thresholds) for _, after, _, thresholds in pairs])
    for (contender, after, before, thresholds), test in zip(pairs, tests, strict=True):
        if after:
            found = test.difference
            mean = statistics.mean(thresholds)
            level = Estimate(mean + found.mean, mean + found.low, mean + found.high, found.n)
            cells = (
                percent(level),
                f"{100 * mean:.0f}",
                f"{100 * statistics.mean(before):.1f}",
                str(len(after)),
                test.word,
            )
            rows.append((f"|H|={contender.resolution}", *cells))
    return Verdict(
        "kernels are redundant along the group",
        _together([test.word for test in tests]),
        [
            *columns(rows),
            "Mean over layers of the energy that one spatial kernel, shared along H, explains of each pair of "
            f"channels; threshold: {MOST:.0%}, or what it explains of independent random numbers if that is more. "
            f"Two-sided t test over seeds, Holm over {len(tests)}, {ERROR_RATE:.0%}.",
        ],
    )


def separable_matches_full(results: Results) -> Verdict:
    """(b) Separable is no worse than full by more than the margin, and its training step takes less time."""
    matches = results.decisions.study.matches
    matched = next((match for match in matches if match != "time"), matches[0])
    pairs = _pairs(results, ("separable", "SO2"), ("full", "SO2"), _resolution)
    accuracy, lines = _difference(results, pairs, threshold=-MARGIN)
    rows = [(f"a training step, full / separable, matched by {matched}", f"time [{INTERVAL}]")]
    ratios = []
    for separable, full in pairs:
        rounds = results.decisions.rounds(matched, separable), results.decisions.rounds(matched, full)
        compared = compare_rounds(*rounds, 0.0)
        ratios.append(rounds)
        rows.append((f"|H|={full.resolution}", _ratio_text(compared)))
    faster = "cannot decide"
    if ratios:
        overall = compare_rounds(_geometric_mean([a for a, _ in ratios]), _geometric_mean([b for _, b in ratios]), 0.0)
        rows.append(("geometric mean", _ratio_text(overall)))
        if matched != "time":  # widths that were chosen to take the same time say nothing about it
            faster = {"slower": "supports", "faster": "contradicts"}.get(overall.word, "cannot decide")
    lines += columns(rows)
    lines.append(f"accuracy: {accuracy}; a fraction of the time: {faster}")
    return Verdict("separable matches or beats full at a fraction of the training time", _both(accuracy, faster), lines)


def sim2_helps(results: Results) -> Verdict:
    """(c) Separable on Sim(2) is more accurate than separable on SE(2) with the same rotations.

    That is the claim: more group for the same budget. The same |H|, scales in place of rotations, is shown beside it.
    """
    kinds = ("separable", "SO2xRPlus"), ("separable", "SO2")
    word, lines = _difference(results, _pairs(results, *kinds, _rotations), threshold=0.0)
    _, others = _difference(results, _pairs(results, *kinds, _resolution), threshold=0.0)
    return Verdict("Sim(2) helps further", word, ["with the same rotations:", *lines, "with the same |H|:", *others])


@dataclass(frozen=True)
class Redundancy:
    """Of a layer: the energy that one spatial kernel explains, at the start and in the best epoch, and the threshold.

    Args:
        channels_too: after training, where that one kernel is shared by all input channels too.
    """

    before: float
    after: float
    threshold: float
    channels_too: float


def layer_redundancy(record: Record) -> dict[str, Redundancy]:
    """Of every layer with more than one tap: a kernel of one tap is trivially shared."""
    epochs, run = record["epochs"], record["run"]
    found = {}
    for name, start in epochs[0]["redundancy"].items():
        if "skip" in name:
            continue
        size = LAST_KERNEL_SIZE if name == "last" else run["kernel_size"]
        best = epochs[record["best_epoch"]]["redundancy"][name]
        found[name] = Redundancy(
            start[SHARED_ALONG_GROUP],
            best[SHARED_ALONG_GROUP],
            max(MOST, chance(run["resolution"], disc_size(size))),
            best[SHARED_BY_CHANNELS_TOO],
        )
    return found


def redundancy_lines(results: Results, matched: str) -> list[str]:
    """Of full networks, by layer: means over seeds at the start and after training, in %."""
    rows: list[tuple[str, ...]] = [
        ("full", "layer", "shared along H: at the start", "after training", "by input channels too", "n")
    ]
    for contender in _on_groups(results, "full", "SO2"):
        records = results.records[matched, contender]
        layers = [layer_redundancy(record) for record in records]
        for name in layers[0] if layers else ():
            means = [
                f"{100 * statistics.mean(getattr(layer[name], part) for layer in layers):.1f}"
                for part in ("before", "after", "channels_too")
            ]
            rows.append((f"|H|={contender.resolution}", name, *means, str(len(records))))
    return columns(rows)


def chance(resolution: int, taps: int) -> float:
    """The energy that the best shared spatial kernel explains of |H| × taps independent normal numbers."""
    draws = np.random.default_rng(0).normal(size=(CHANCE_DRAWS, resolution, taps))
    largest = np.linalg.svd(draws, compute_uv=False)[:, 0] ** 2
    return float(np.mean(largest / np.square(draws).sum(axis=(1, 2))))


def disc_size(kernel_size: int) -> int:
    """How many taps of a k × k kernel lie in the disc, outside of which group kernels are 0."""
    r = (kernel_size - 1) // 2
    return sum(i * i + j * j <= r * r for i in range(-r, r + 1) for j in range(-r, r + 1))


def _on_groups(results: Results, variant: str, group: str) -> list[Contender]:
    return [
        contender
        for contender in results.decisions.study.contenders
        if (contender.variant, contender.group) == (variant, group) and contender.resolution > 1
    ]


def _pairs(
    results: Results, kind: tuple[str, str], other: tuple[str, str], same: Callable[[Contender], int]
) -> list[tuple[Contender, Contender]]:
    """Contenders of two kinds, variant and group, that have something the same."""
    others = {same(contender): contender for contender in _on_groups(results, *other)}
    ours = _on_groups(results, *kind)
    return [(contender, others[same(contender)]) for contender in ours if same(contender) in others]


def _resolution(contender: Contender) -> int:
    return contender.resolution


def _rotations(contender: Contender) -> int:
    return contender.resolution // contender.scales


def _difference(
    results: Results, pairs: Sequence[tuple[Contender, Contender]], *, threshold: float
) -> tuple[str, list[str]]:
    """The word on the difference of test accuracies in all matches together, and the table it comes from.

    The word is about means over pairs, seed by seed, one for each match; those of single pairs are a family of their
    own.
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
    rows: list[tuple[str, ...]] = [("test accuracy", "points [95 %]", "p (Holm)", "n", "")]
    for matched, test in zip(pooled, over_all, strict=True):
        rows.append(_test_row(f"matched by {matched}: mean", test))
        rows += [
            _test_row(f"  {name}", each)
            for (match, name), each in zip(single, of_each, strict=True)
            if match == matched
        ]
    note = (
        f"Paired t tests over seeds of a difference of {100 * threshold:g} points, two-sided, {ERROR_RATE:.0%}; Holm "
        f"over the {len(over_all)} means, and over the {len(of_each)} others."
    )
    return _together([test.word for test in over_all]), [*columns(rows), note]


def _test_row(name: str, test: Test) -> tuple[str, ...]:
    return name, percent(test.difference), f"{test.adjusted:.3f}", str(test.difference.n), test.word


def _ratio_text(compared: Comparison) -> str:
    return f"{compared.ratio:.2f} [{compared.low:.2f}, {compared.high:.2f}]"


def _geometric_mean(contenders: Sequence[Rounds]) -> Rounds:
    """Of the medians of several contenders, round by round."""
    logs = [[math.log(statistics.median(samples)) for samples in rounds] for rounds in contenders]
    return [[math.exp(statistics.mean(each))] for each in zip(*logs, strict=True)]


def _together(words: Sequence[str]) -> str:
    """One word for several: where they differ, none can be given."""
    return words[0] if len(set(words)) == 1 else "cannot decide"


def _both(*words: str) -> str:
    """The word on a claim of two parts: it needs both, and falls with either."""
    if "contradicts" in words:
        return "contradicts"
    return "supports" if set(words) == {"supports"} else "cannot decide"
