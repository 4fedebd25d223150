"""Blocks: the cases that are measured together because they differ only in what is compared.

The cases of a block, its contenders, take turns in the same processes, so a drift of the machine affects all alike.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from benchmarks.cases.case import AXES, Case, short_hash

# The axes on which the contenders of a block may differ. A plain case and a user's network have no group and generate
# no kernels, so they may differ on two more axes.
CONTENDED = ("implementation", "variant", "group", "scales")
PLAIN_CONTENDED = (*CONTENDED, "resolution", "kernels")


@dataclass(frozen=True)
class Block:
    """Contenders that are measured together."""

    cases: tuple[Case, ...]  # the contenders, each once
    twin: Case  # the contender that is timed a second time, as if it were another one: the times differ by noise
    seed: int  # seed of the sweep

    @property
    def id(self) -> str:
        """An id that depends on the contenders and the seed alone. Records of one block id were timed in turns."""
        return short_hash({"seed": self.seed, "cases": sorted(case.id for case in self.cases)})

    @property
    def device(self) -> str:
        return self.cases[0].device

    @property
    def threads(self) -> int:
        return self.cases[0].threads

    def entries(self) -> list[tuple[int, Case]]:
        """Return the contenders and the twin in a random order, each with its number; the twin has the last number."""
        entries = list(enumerate((*self.cases, self.twin)))
        random.Random(self.id).shuffle(entries)
        return entries

    @property
    def twin_entry(self) -> int:
        """The number under which ``entries`` lists ``twin`` for the second time."""
        return len(self.cases)


def blocks(cases: Sequence[Case], missing: Collection[Case], seed: int, *, shuffled: bool = True) -> list[Block]:
    """Return the blocks of the missing cases, which have no record yet, in a random order or as in ``cases``.

    A plain case and a user's network belong to a block of their shape, or else to one of layers with as many maps,
    C·|H|, as the plain case has channels: to the block at the base point's |H|, or else to the first. A missing case
    that is a user's or a peer's is timed together with its whole block, including cases that have a record already.
    """
    groups: dict[tuple[object, ...], list[Case]] = {}
    for case in (case for case in cases if not _without_group(case)):
        groups.setdefault(_shared(case, CONTENDED), []).append(case)
    homes = sorted(groups.items(), key=lambda item: item[1][0].resolution != Case.resolution)
    first: dict[tuple[object, ...], tuple[object, ...]] = {}
    for key, group in homes:
        first.setdefault(_shared(group[0], PLAIN_CONTENDED), key)
    for key, group in homes:  # and the plain convolution with as many channels as a layer has maps, C·|H|
        wide = replace(group[0], channels=group[0].channels * group[0].resolution)
        first.setdefault(_shared(wide, PLAIN_CONTENDED), key)
    for case in filter(_without_group, cases):
        groups.setdefault(first.get(_shared(case, PLAIN_CONTENDED), _shared(case, CONTENDED)), []).append(case)
    rng = random.Random(seed)
    found = []
    for group in groups.values():
        wanted = [case for case in group if case in missing]
        if any(case.foreign for case in wanted):
            wanted = group
        if wanted:
            found.append(Block(tuple(wanted), rng.choice(wanted), seed))
    if shuffled:
        rng.shuffle(found)  # so that a drift during the sweep affects all resolutions alike
    return found


def _without_group(case: Case) -> bool:
    return case.variant == "plain" or case.layer == "network"


def _shared(case: Case, contended: Sequence[str]) -> tuple[object, ...]:
    """Return the values that the contenders of a block share; networks compete with each other."""
    values = {**case.fields(), "layer": "network"} if case.is_network else case.fields()
    return tuple(values[axis] for axis in AXES if axis not in contended)
