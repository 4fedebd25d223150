"""Raw times of repeated passes. The caller gives the clock, so that tests need not wait."""

import itertools
import math
import time
from collections.abc import Callable, Iterator

from benchmarks.measure.sampling import WARM_UP_SHARE, Sampling

Clock = Callable[[], float]
# A turn ends when its passes have taken this time. A disturbance of tens of milliseconds then affects every contender:
# on a busy host the same code differed from itself by 3.8 % in turns of 26 ms (r.m.s. of n = 32 processes), by 2.2 %
# in turns of 13 ms, and by 0.8 % in turns of 3 ms.
TURN_SECONDS = 0.002


def synchronised_clock(device: str) -> Clock:
    """Return a monotonic clock in seconds. On CUDA it is read after all launched kernels have ended."""
    if device == "cpu":
        return time.perf_counter
    import torch  # late: importing torch takes seconds

    def clock() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return clock


def warm_up(run: Callable[[], object], clock: Clock, sampling: Sampling, *, prepare: Callable[[], object]) -> None:
    """Run passes without keeping their times: at least one, and for a tenth of the round's budget."""
    take_turn(run, clock, sampling.per_round().seconds * WARM_UP_SHARE, prepare=prepare)


def take_turn(
    run: Callable[[], object], clock: Clock, seconds: float, *, prepare: Callable[[], object], most: float = math.inf
) -> list[float]:
    """Return the seconds of successive passes: at least one, at most ``most``, until they add up to ``seconds``."""
    samples: list[float] = []
    while not samples or (len(samples) < most and sum(samples) < seconds):
        prepare()
        start = clock()
        run()
        samples.append(clock() - start)
    return samples


def device_seconds(run: Callable[[], object], *, prepare: Callable[[], object], passes: int) -> list[float]:
    """Return the seconds of each pass on the GPU itself, between two CUDA events around the pass.

    Python does not wait between passes, so it stays ahead of a busy GPU. Where these times are shorter than the wall
    time of a pass, the GPU spends the difference waiting for launches or for a synchronisation.
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
    """Yield contenders in the order of their turns, endlessly: A B C C B A A … in round 0, B C A A C B B … in round 1.

    Each contender comes early as often as late, and before each neighbour as often as after it, so that a drift
    affects all contenders alike.
    """
    order = [(i + round_number) % contenders for i in range(contenders)]
    return itertools.cycle(order + order[::-1])
