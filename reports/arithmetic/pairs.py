"""Pairs of networks of a study that readers compare directly, and the differences of their test accuracies."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from benchmarks.statistics.choosing import Accuracies
from benchmarks.statistics.intervals import Interval
from reports.arithmetic.training import accuracy_step, by_seed, difference

# The forms of kernels of layers on a group.
FORMS = ("full", "separable", "gseparable", "dseparable", "dgseparable", "separable2d")
ALTERNATIVES = ("averaged", "canonical")
ALIKE = ["network", "group", "resolution", "scales"]


@dataclass(frozen=True)
class Pair:
    """Two networks, by their row numbers in the table of networks.

    Args:
        difference: the test accuracy of the first minus that of the second over shared seeds, with an interval that is
            not corrected for the number of pairs.
        n: the seeds that both share.
        better: whether a test, corrected for all words of the study, shows that the first is more accurate (True) or
            less accurate (False); None if it shows neither.
    """

    first: int
    second: int
    difference: Interval
    n: int
    better: bool | None


def pairs(runs: pd.DataFrame, networks: pd.DataFrame, compared: Accuracies) -> list[Pair]:
    """Return the pairs of networks that share seeds, each once.

    Args:
        runs: the runs of the study.
        compared: what the seeds show about the accuracies of these networks.
    """
    found, step = [], accuracy_step(runs)
    known = [by_seed(runs, row) for _, row in networks.iterrows()]
    for i, j in asked_pairs(networks):
        gap, n = difference(known[i], known[j], step)
        if n:
            better = True if (i, j) in compared.better else False if (j, i) in compared.better else None
            found.append(Pair(i, j, gap, n, better))
    return found


def asked_pairs(networks: pd.DataFrame) -> list[tuple[int, int]]:
    """Return the pairs, by row numbers; they depend on what networks are, and not on what they reach.

    They are: forms of kernels, separable and its alternatives, augmentation, groups compared with plain, and users'
    networks compared with plain, separable and each other. Networks on a group are paired at the same |H|, which is
    greater than 1. Those without augmentation are compared with plain networks that have it, or with the others where
    no plain network has it. Users' networks are compared with networks that see the same images.
    """
    table = networks.reset_index(drop=True)
    return [*_of_ours(table), *_of_users(table)]


def _of_users(networks: pd.DataFrame) -> Iterator[tuple[int, int]]:
    for _, alike in networks.groupby(networks["augmentation"].replace("", "none"), sort=False):
        own = alike.index[alike["variant"] == "custom"]
        on_group = (alike["variant"] == "separable") & (alike["resolution"] > 1)
        rivals = alike.index[(alike["variant"] == "plain") | on_group]
        yield from ((int(i), int(j)) for i in own for j in rivals)
        yield from ((int(i), int(j)) for i, j in itertools.combinations(own, 2))


def _of_ours(networks: pd.DataFrame) -> Iterator[tuple[int, int]]:
    augmented = ~networks["augmentation"].isin(["", "none"])
    on_group = (networks["resolution"] > 1) & (networks["variant"] != "plain")
    groups = networks[on_group].groupby([*ALIKE, "augmentation"], dropna=False, sort=False).groups.values()
    for same in groups:
        of = {form: [int(i) for i in same if networks.loc[i, "variant"] == form] for form in (*FORMS, *ALTERNATIVES)}
        for form in FORMS[1:]:
            yield from ((i, j) for i in of["full"] for j in of[form])
        for form in FORMS[2:]:
            yield from ((i, j) for i in of[form] for j in of["separable"])
        for form in ALTERNATIVES:
            yield from ((i, j) for i in of["separable"] for j in of[form])
    for same in networks.groupby(["variant", *ALIKE], dropna=False, sort=False).groups.values():
        yield from ((int(i), int(j)) for i in same if augmented[i] for j in same if not augmented[j])
    plain = networks["variant"] == "plain"
    rivals = networks.index[plain & augmented] if (plain & augmented).any() else networks.index[plain]
    for form in FORMS[:2]:
        ours = networks.index[on_group & ~augmented & (networks["variant"] == form)]
        yield from ((int(i), int(j)) for i in ours for j in rivals)
