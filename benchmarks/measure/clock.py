"""Raw times of repeated passes. The clock is injected, so that everything here can be tested without waiting."""

import dataclasses
import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Clock = Callable[[], float]

# Part of a budget that warms up.
WARM_UP_SHARE = 1 / 10
# A turn ends after this time, or after one pass. What disturbs a process for tens of milliseconds then meets all
# contenders alike: on a busy host the same code differed from itself by 3.8 % in turns of 26 ms (r.m.s. of n = 32
# processes), by 2.2 % in turns of 13 ms, and by 0.8 % in turns of 3 ms.
TURN_SECONDS = 0.002


@dataclass(frozen=True)
class Sampling:
    """How often a pass is repeated, in all rounds together.

    Args:
        rounds: fresh processes in which the pass is timed.
        min_samples: passes that are timed at least, however long they take.
        max_samples: passes that are timed at most, however short they are.
        seconds: time budget of the timed passes; a tenth of it, and never less than one pass, goes to warming up.
    """

    rounds: int = 5
    min_samples: int = 10
    max_samples: int = 1000
    seconds: float = 1.0

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
        """The share of one round."""
        return Sampling(
            rounds=1,
            min_samples=math.ceil(self.min_samples / self.rounds),
            max_samples=math.ceil(self.max_samples / self.rounds),
            seconds=self.seconds / self.rounds,
        )

    def stopped(self, samples: Sequence[float], precise: Callable[[Sequence[float]], bool]) -> str | None:
        """Why these samples of a round are enough, "precision", "budget" or "samples"; None while they are not."""
        share = self.per_round()
        if len(samples) < share.min_samples:
            return None
        if precise(samples):
            return "precision"
        if sum(samples) >= share.seconds:
            return "budget"
        return "samples" if len(samples) >= share.max_samples else None


def synchronised_clock(device: str) -> Clock:
    """A monotonic clock in seconds that waits for the device first: CUDA kernels outlast the call that starts them."""
    if device == "cpu":
        return time.perf_counter
    import torch  # late: ``Sampling`` is wanted where torch is not

    def clock() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return clock


def sample(
    run: Callable[[], object], clock: Clock, sampling: Sampling, *, prepare: Callable[[], object] = lambda: None
) -> list[float]:
    """Warm up, then time ``run`` in this process alone until there are enough samples.

    Args:
        run: the pass.
        clock: returns seconds.
        sampling: when it is enough; rounds and precision do not count here.
        prepare: called before every pass, outside the timed region.

    Returns:
        Seconds of every timed pass, in order.
    """
    here = dataclasses.replace(sampling, rounds=1)
    warm_up(run, clock, here, prepare=prepare)
    samples: list[float] = []
    while here.stopped(samples, lambda _: False) is None:
        samples += take_turn(run, clock, 0.0, prepare=prepare)
    return samples


def warm_up(run: Callable[[], object], clock: Clock, sampling: Sampling, *, prepare: Callable[[], object]) -> None:
    """Passes that nobody counts: at least one, and a tenth of the round's budget."""
    take_turn(run, clock, sampling.per_round().seconds * WARM_UP_SHARE, prepare=prepare)


def take_turn(
    run: Callable[[], object],
    clock: Clock,
    seconds: float,
    *,
    prepare: Callable[[], object],
    most: float = math.inf,
) -> list[float]:
    """Seconds of successive passes: at least one, at most ``most``, while they add up to less than ``seconds``."""
    samples: list[float] = []
    while not samples or (len(samples) < most and sum(samples) < seconds):
        prepare()
        start = clock()
        run()
        samples.append(clock() - start)
    return samples


def device_seconds(run: Callable[[], object], *, prepare: Callable[[], object], passes: int) -> list[float]:
    """What passes take on the GPU itself: seconds between two CUDA events around each.

    Nobody waits between them, so Python is ahead of a GPU that has enough to do. Where these are shorter than the wall
    time of a pass, the rest is waiting: for launches, or for whoever synchronises.
    """
    import torch

    around = []
    for _ in range(passes):
        prepare()
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        around.append((begin, end))
    torch.cuda.synchronize()
    return [begin.elapsed_time(end) / 1e3 for begin, end in around]


def counterbalanced(contenders: int, round_number: int) -> Iterator[int]:
    """Whose turn it is, without end: A B C C B A A B C …, in every round beginning one further.

    Each then comes early as often as late, and follows each neighbour as often as it precedes it, so that what drifts
    meets all of them alike.
    """
    order = [(i + round_number) % contenders for i in range(contenders)]
    return itertools.cycle(order + order[::-1])
