"""Which cases are measured together: those that differ in what is compared, and share everything else.

Pure, and without torch. Contenders of a block take turns in the same processes, so that whatever drifts while they run
meets them all.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmarks.cases.case import AXES, Case, short_hash

# What contenders may differ in; plain ones, which have no group and no kernels to generate, also in these.
CONTENDED = ("implementation", "variant", "group", "scales")
PLAIN_CONTENDED = (*CONTENDED, "resolution", "kernels")


@dataclass(frozen=True)
class Block:
    """Contenders that are measured together.

    Args:
        cases: the contenders, each once.
        twin: the one of them that is entered a second time, unknown to whoever times it: what the two entries differ
            by is noise.
        seed: of the sweep.
    """

    cases: tuple[Case, ...]
    twin: Case
    seed: int

    @property
    def id(self) -> str:
        """The same for the same contenders and seed. Two records of one block were timed in turns."""
        return short_hash({"seed": self.seed, "cases": sorted(case.id for case in self.cases)})

    @property
    def device(self) -> str:
        return self.cases[0].device

    @property
    def threads(self) -> int:
        return self.cases[0].threads

    def entries(self) -> list[tuple[int, Case]]:
        """The contenders and, last, the twin, each under a number, in an order that is drawn."""
        entries = list(enumerate((*self.cases, self.twin)))
        random.Random(self.id).shuffle(entries)
        return entries

    @property
    def twin_entry(self) -> int:
        """The number of the second entry of ``twin``."""
        return len(self.cases)


def blocks(cases: Sequence[Case], missing: Collection[Case], seed: int) -> list[Block]:
    """The blocks of the cases that are missing, in an order that is drawn.

    A plain case belongs to the first block of its shape. A user's layer or a peer that is missing brings its whole
    block with it, measured before or not, so that it is timed beside what it is compared with.

    Args:
        cases: all that were asked for.
        missing: those that have no record yet.
        seed: of all that is drawn.
    """
    groups: dict[tuple[object, ...], list[Case]] = {}
    for case in (case for case in cases if case.variant != "plain"):
        groups.setdefault(_shared(case, CONTENDED), []).append(case)
    first = {_shared(group[0], PLAIN_CONTENDED): key for key, group in reversed(groups.items())}
    for case in (case for case in cases if case.variant == "plain"):
        groups.setdefault(first.get(_shared(case, PLAIN_CONTENDED), _shared(case, CONTENDED)), []).append(case)
    rng = random.Random(seed)
    found = []
    for group in groups.values():
        wanted = [case for case in group if case in missing]
        if any(case.foreign for case in wanted):
            wanted = group
        if wanted:
            found.append(Block(tuple(wanted), rng.choice(wanted), seed))
    rng.shuffle(found)  # what drifts while a sweep runs then hits no resolution more than another
    return found


def _shared(case: Case, contended: Sequence[str]) -> tuple[object, ...]:
    return tuple(getattr(case, axis) for axis in AXES if axis not in contended)
