"""Raw times of a repeated pass. The clock is injected, so that everything here can be tested without waiting."""

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True)
class Sampling:
    """How often a pass is repeated.

    Args:
        min_samples: passes that are timed at least, however long they take.
        max_samples: passes that are timed at most, however short they are.
        seconds: time budget of the timed passes; a fifth of it, and never less than one pass, goes to warming up.
    """

    min_samples: int = 10
    max_samples: int = 500
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.min_samples <= self.max_samples:
            raise ValueError(
                f"min_samples {self.min_samples} is not allowed; allowed: 1 to max_samples, {self.max_samples}"
            )
        if not 0 < self.seconds < float("inf"):
            raise ValueError(f"seconds {self.seconds} is not allowed; allowed: positive numbers")


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
    """Warm up, then time ``run`` until there are enough samples.

    Args:
        run: the pass.
        clock: returns seconds.
        sampling: when it is enough.
        prepare: called before every pass, outside the timed region.

    Returns:
        Seconds of every timed pass, in order.
    """

    def timed() -> float:
        prepare()
        start = clock()
        run()
        return clock() - start

    warm = timed()
    while warm < sampling.seconds / 5:
        warm += timed()
    samples: list[float] = []
    while len(samples) < sampling.min_samples or (
        len(samples) < sampling.max_samples and sum(samples) < sampling.seconds
    ):
        samples.append(timed())
    return samples
