"""Raw times of repeated passes. The clock is injected, so that everything here can be tested without waiting."""

import itertools
import math
import time
from collections.abc import Callable, Iterator

from benchmarks.measure.sampling import WARM_UP_SHARE, Sampling

Clock = Callable[[], float]
# A turn ends after this time, or after one pass. What disturbs a process for tens of milliseconds then meets all
# contenders alike: on a busy host the same code differed from itself by 3.8 % in turns of 26 ms (r.m.s. of n = 32
# processes), by 2.2 % in turns of 13 ms, and by 0.8 % in turns of 3 ms.
TURN_SECONDS = 0.002


def synchronised_clock(device: str) -> Clock:
    """A monotonic clock in seconds that waits for the device first: CUDA kernels outlast the call that starts them."""
    if device == "cpu":
        return time.perf_counter
    import torch  # late: ``Sampling`` is wanted where torch is not

    def clock() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return clock


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
