"""The noise of a measured history: how much the results of one commit differ from round to round.

A commit is measured once in a round, all of its benchmarks in succession. So the deviations of one result have the
machine's mood in common, and made-up histories draw them together. Rounds measure the commits in random orders;
successive commits therefore share no mood, and the deviations of each result are drawn anew.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from benchmarks.records.suite_names import point_of
from benchmarks.records.suite_results import Commit


@dataclass(frozen=True)
class MeasuredNoise:
    """Deviations of measured results from the mean of their commit.

    Args:
        names: the benchmarks, all of them times.
        deviations: differences of logarithms, shape (results, benchmarks).
    """

    names: tuple[str, ...]
    deviations: npt.NDArray[np.float64]

    def logs(self, rng: np.random.Generator, commits: int, rounds: int) -> npt.NDArray[np.float64]:
        """Draw the logarithms of times of unchanged code, shape (commits, rounds, benchmarks)."""
        drawn: npt.NDArray[np.float64] = self.deviations[rng.integers(len(self.deviations), size=(commits, rounds))]
        return drawn


def noise_of(commits: Sequence[Commit]) -> MeasuredNoise:
    """Return the noise of the times that every result has.

    Args:
        commits: results on one machine; successive results of one commit are its rounds.

    Raises:
        ValueError: when no commit was measured in several rounds, or no benchmark at each of them.
    """
    repeated = [group for _, results in groupby(commits, lambda one: one.hash) if len(group := list(results)) > 1]
    every = [one.results for group in repeated for one in group]
    names = tuple(
        name
        for name in (every[0] if every else ())
        if point_of(name)["quantity"] == "time" and all(name in each and each[name].measured for each in every)
    )
    if not names:
        raise ValueError("no time was measured in several rounds of each commit; such results are in reports/history")
    deviations = []
    for group in repeated:
        logs = np.array([[math.log(one.results[name].value or math.nan) for name in names] for one in group])
        # The mean of n rounds has a part of their noise; the factor makes up for it.
        deviations.append((logs - logs.mean(axis=0)) * math.sqrt(len(group) / (len(group) - 1)))
    return MeasuredNoise(names, np.concatenate(deviations))
