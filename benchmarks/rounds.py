"""One round in a process of its own, and nothing around it: for comparisons that need times alone."""

from dataclasses import dataclass
from typing import Any

from benchmarks.blocks import Round
from benchmarks.isolation import Outcome, run_isolated
from benchmarks.sweep import PRELOAD, round_task


@dataclass(frozen=True)
class Taken:
    """What came out of a round.

    Args:
        samples: seconds of every entry, by its number, in the order they were taken.
        failures: what became of the entries that did not get through it.
    """

    samples: dict[int, list[float]]
    failures: dict[int, Outcome]


def take_round(task: Round, timeout: float) -> Taken:
    """Time the entries in turns; when the process dies or hangs, that is the failure of whoever was running.

    Args:
        task: the round.
        timeout: seconds without a sign of life.
    """
    samples: dict[int, list[float]] = {entry: [] for entry, _ in task.entries}
    failures: dict[int, Outcome] = {}
    running = task.entries[0][0]

    def report(message: dict[str, Any]) -> None:
        nonlocal running
        running = message.get("entry", running)
        samples[running] += message.get("samples", ())
        if message.get("failure") is not None:
            failures[running] = message["failure"]

    device = task.entries[0][1].device
    outcome = run_isolated(round_task, task, device=device, preload=PRELOAD, timeout=timeout, report=report)
    if outcome.status != "ok":
        failures[running] = outcome
    return Taken(samples, failures)
