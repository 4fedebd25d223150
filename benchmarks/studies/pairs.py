"""The pairs of contenders whose accuracies the claims compare. This module needs no torch."""

from benchmarks.studies.contenders import Contender
from benchmarks.studies.study import Study

Pair = tuple[Contender, Contender]


def on_groups(study: Study, variant: str, group: str) -> list[Contender]:
    """Return the contenders of a variant and a group with |H| > 1, without augmentation."""
    return [
        contender
        for contender in study.contenders
        if (contender.variant, contender.group) == (variant, group)
        and contender.resolution > 1
        and contender.augmentation == "none"
    ]


def augmented_plain(study: Study) -> list[Contender]:
    """Return the plain contenders whose train images are augmented."""
    return [each for each in study.contenders if each.variant == "plain" and each.augmentation != "none"]


def separable_and_full(study: Study) -> list[Pair]:
    """Return separable and full networks on SE(2) with the same |H|."""
    ours, others = on_groups(study, "separable", "SO2"), on_groups(study, "full", "SO2")
    return [(a, b) for a in ours for b in others if a.resolution == b.resolution]


def sim2_and_separable(study: Study, *, same_rotations: bool) -> list[Pair]:
    """Return separable networks on Sim(2) and on SE(2) with the same number of rotations, or with the same |H|."""
    ours, others = on_groups(study, "separable", "SO2xRPlus"), on_groups(study, "separable", "SO2")
    sizes = {each: each.resolution // (each.scales if same_rotations else 1) for each in ours}
    return [(a, b) for a in ours for b in others if sizes[a] == b.resolution]


def separable_and_augmented(study: Study) -> list[Pair]:
    """Return separable networks on SE(2) and augmented plain networks.

    There is none where the test images are in one pose: augmentation teaches what is not asked.
    """
    if study.test_angles:
        return []
    return [(ours, rival) for ours in on_groups(study, "separable", "SO2") for rival in augmented_plain(study)]


def claimed_pairs(study: Study) -> list[list[Pair]]:
    """Return the pairs of every claim about accuracy for which the study has contenders."""
    found = [separable_and_full(study), sim2_and_separable(study, same_rotations=True), separable_and_augmented(study)]
    return [pairs for pairs in found if pairs]
