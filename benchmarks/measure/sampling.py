"""``Sampling``: how often a pass is repeated. The module needs no torch."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# Share of the time budget that goes to warming up.
WARM_UP_SHARE = 1 / 20


@dataclass(frozen=True)
class Sampling:
    """How often a pass is repeated, in all rounds together."""

    rounds: int = 5  # number of fresh processes in which the pass is timed
    min_samples: int = 10  # smallest number of timed passes, even if they take longer than ``seconds``
    max_samples: int = 1000  # largest number of timed passes
    seconds: float = 1.0  # time budget of the timed passes; warming up takes a twentieth more, but at least two passes

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"rounds {self.rounds} is not allowed; allowed: integers of at least 1")
        if not 1 <= self.min_samples <= self.max_samples:
            raise ValueError(
                f"min_samples {self.min_samples} is not allowed; allowed: 1 to max_samples, {self.max_samples}"
            )
        if not 0 < self.seconds < float("inf"):
            raise ValueError(f"seconds {self.seconds} is not allowed; allowed: positive numbers")

    def per_round(self) -> "Sampling":
        """Return the sampling of one round."""
        least, most = math.ceil(self.min_samples / self.rounds), math.ceil(self.max_samples / self.rounds)
        return Sampling(rounds=1, min_samples=least, max_samples=most, seconds=self.seconds / self.rounds)

    def progress(self, samples: Sequence[float]) -> float:
        """Return how much of what a round needs at most there is in these samples: 1 if they are enough.

        >>> Sampling(rounds=1, min_samples=4, seconds=1.0).progress([0.1, 0.1])
        0.2
        """
        share = self.per_round()
        most = max(sum(samples) / share.seconds, len(samples) / share.max_samples)
        return min(len(samples) / share.min_samples, most)

    def stopped(self, samples: Sequence[float], precise: Callable[[Sequence[float]], bool]) -> str | None:
        """Return why these samples of a round are enough, "precision", "budget" or "samples"; None if they are not."""
        share = self.per_round()
        if len(samples) < share.min_samples:
            return None
        if precise(samples):
            return "precision"
        if sum(samples) >= share.seconds:
            return "budget"
        return "samples" if len(samples) >= share.max_samples else None
