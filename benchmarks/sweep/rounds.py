"""One round in a process of its own, and what is reported from there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.records.outcome import Outcome
from benchmarks.running.isolated import Report, run_isolated
from benchmarks.sweep.tasks import ROUND_MODULE, Round, round_task


@dataclass
class Taken:
    """What came out of a round.

    Args:
        running: the number of the entry that was running last.
        samples: seconds of every entry, by its number, in the order they were taken.
        stopped: why an entry had enough.
        failures: what became of the entries that did not get through it.
        frequencies: of the clock, as the process saw it.
        finished: whether the process came to its end.
    """

    running: int
    samples: dict[int, list[float]]
    stopped: dict[int, str] = field(default_factory=dict)
    failures: dict[int, Outcome] = field(default_factory=dict)
    frequencies: list[float | None] = field(default_factory=list)
    finished: bool = False

    def report(self, message: dict[str, Any]) -> None:
        """Take in a message of ``measurement.measure_round``."""
        if "frequency" in message:
            self.frequencies.append(message["frequency"])
            return
        self.running = entry = message["entry"]
        self.samples[entry] += message.get("samples", ())
        if message.get("stopped") is not None:
            self.stopped[entry] = message["stopped"]
        if message.get("failure") is not None:
            self.failures[entry] = message["failure"]


def take_round(
    task: Round, timeout: float, measure_round: Callable[[Round, Report], dict[str, Any]] = round_task
) -> Taken:
    """Time the entries in turns; when the process dies or hangs, that is the failure of whoever was running.

    Args:
        task: the round.
        timeout: seconds without a sign of life.
        measure_round: what runs in the process, importable by name there.
    """
    taken = Taken(task.entries[0][0], {entry: [] for entry, _ in task.entries})
    device = task.entries[0][1].device
    outcome = run_isolated(
        measure_round, task, device=device, preload=ROUND_MODULE, timeout=timeout, report=taken.report
    )
    taken.finished = outcome.status == "ok"
    if taken.finished:
        taken.frequencies.append(outcome.fields.get("frequency"))
    else:
        taken.failures[taken.running] = outcome
    return taken
