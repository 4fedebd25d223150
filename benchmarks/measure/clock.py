"""Raw times of repeated passes. The caller gives the clock, so that tests need not wait."""

import itertools
import math
import time
from collections.abc import Callable, Iterator

from benchmarks.measure.sampling import WARM_UP_SHARE, Sampling

Clock = Callable[[], float]
# Samples are whole nanoseconds, as clocks count. Further digits are rounding of floats, and half of a record's size.
DIGITS = 9
# A turn ends when its passes have taken this time. A disturbance of tens of milliseconds then affects every contender:
# on a busy host the same code differed from itself by 3.8 % in turns of 26 ms (r.m.s. of n = 32 processes), by 2.2 %
# in turns of 13 ms, and by 0.8 % in turns of 3 ms.
TURN_SECONDS = 0.002
# On CUDA the cache is emptied before every pass (``l2_cache``), which may take longer than a short pass. A turn, or the
# passes to warm up, then end when they have taken this many times their seconds, together with the preparations.
PREPARED = 5
# The longest time for which the GPU is kept waiting while Python launches a pass, and the cycles that it waits for a
# second. The clocks of GPUs differ, between 1 and 2.5 GHz under load.
LONGEST_WAIT, CYCLES_PER_SECOND = 0.05, 2e9


def synchronised_clock(device: str) -> Clock:
    """Return a monotonic clock in seconds. On CUDA it is read after all launched kernels have ended."""
    if device == "cpu":
        return time.perf_counter
    import torch  # late: importing torch takes seconds

    def clock() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return clock


def longest_turn(seconds: float, device: str) -> float:
    """Return the seconds after which a turn of ``seconds`` ends whatever its passes took; no limit on the CPU."""
    return math.inf if device == "cpu" else PREPARED * seconds


def warm_up(
    run: Callable[[], object], clock: Clock, sampling: Sampling, *, prepare: Callable[[], object], device: str = "cpu"
) -> None:
    """Run passes without keeping their times: at least two, and for a twentieth of the round's budget.

    The second pass still takes new memory, because the first one's results were freed after it had taken its own.
    """
    seconds = sampling.per_round().seconds * WARM_UP_SHARE
    take_turn(run, clock, 0.0, prepare=prepare)
    take_turn(run, clock, seconds, prepare=prepare, longest=longest_turn(seconds, device))


def take_turn(
    run: Callable[[], object],
    clock: Clock,
    seconds: float,
    *,
    prepare: Callable[[], object],
    most: float = math.inf,
    longest: float = math.inf,
) -> list[float]:
    """Return the seconds of successive passes: at least one, at most ``most``, until they add up to ``seconds``.

    The passes also end ``longest`` seconds after the first one began; the time of ``prepare`` counts in this alone.
    """
    samples: list[float] = []
    end = last_end = 0.0
    while not samples or (len(samples) < most and sum(samples) < seconds and end < last_end):
        prepare()
        start = clock()
        run()
        end = clock()
        if not samples:
            last_end = start + longest
        samples.append(round(end - start, DIGITS))
    return samples


def device_seconds(
    run: Callable[[], object], *, prepare: Callable[[], object], passes: int, wall_seconds: float
) -> list[float]:
    """Return the seconds of each pass on the GPU itself, between two CUDA events around the pass.

    Before each pass the GPU is kept waiting for ``wall_seconds``, the time of a pass on the wall, so that Python has
    launched the pass when the GPU begins. Where the times are shorter than the wall time, the GPU would spend the
    difference waiting for launches. Where a pass synchronises, launches more than the driver's queue holds (about a
    thousand operations), or takes longer than ``LONGEST_WAIT``, such gaps are part of these times too.
    """
    import torch

    around = []
    for _ in range(passes):
        torch.cuda._sleep(int(min(wall_seconds, LONGEST_WAIT) * CYCLES_PER_SECOND))
        prepare()
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        around.append((begin, end))
    torch.cuda.synchronize()
    return [round(begin.elapsed_time(end) / 1e3, DIGITS) for begin, end in around]


def counterbalanced(contenders: int, round_number: int) -> Iterator[int]:
    """Yield contenders in the order of their turns, endlessly: A B C C B A A … in round 0, B C A A C B B … in round 1.

    Each contender comes early as often as late, and before each neighbour as often as after it, so that a drift
    affects all contenders alike.
    """
    order = [(i + round_number) % contenders for i in range(contenders)]
    return itertools.cycle(order + order[::-1])
