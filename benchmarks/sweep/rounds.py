"""A round in its own process, and the reports that the process sends."""

from dataclasses import dataclass, field
from typing import Any

from benchmarks.records.outcome import Outcome
from benchmarks.running.isolated import run_isolated
from benchmarks.sweep.processes import ROUND_MODULE, round_task
from benchmarks.sweep.tasks import Round


@dataclass
class Taken:
    """The results of a round. The keys are the numbers of the entries in the block.

    Args:
        running: the number of the entry that ran last.
        samples: seconds of each entry's passes, in the order of measurement.
        stopped: why each entry had enough samples.
        failures: the outcomes of the entries that failed.
        frequencies: clock frequencies that the process reported.
        gpu_states: states of the GPU that the process reported; none on the CPU.
        finished: whether the round ran to its end.
    """

    running: int
    samples: dict[int, list[float]]
    stopped: dict[int, str] = field(default_factory=dict)
    failures: dict[int, Outcome] = field(default_factory=dict)
    frequencies: list[float | None] = field(default_factory=list)
    gpu_states: list[dict[str, Any]] = field(default_factory=list)
    finished: bool = False

    def report(self, message: dict[str, Any]) -> None:
        """Add a message of ``worker.measure_round`` to the results."""
        if "frequency" in message:
            self.add_state(message)
            return
        self.running = entry = message["entry"]
        self.samples[entry] += message.get("samples", ())
        if message.get("stopped") is not None:
            self.stopped[entry] = message["stopped"]
        if message.get("failure") is not None:
            self.failures[entry] = message["failure"]

    def add_state(self, state: dict[str, Any]) -> None:
        """Add a state of the device."""
        self.frequencies.append(state.get("frequency"))
        if state.get("gpu") is not None:
            self.gpu_states.append(state["gpu"])


def take_round(task: Round, timeout: float) -> Taken:
    """Time the entries in turns. The running entry fails if its process dies or reports nothing for ``timeout`` s."""
    taken = Taken(task.entries[0][0], {entry: [] for entry, _ in task.entries})
    device = task.entries[0][1].device
    outcome = run_isolated(round_task, task, device=device, preload=ROUND_MODULE, timeout=timeout, report=taken.report)
    taken.finished = outcome.status == "ok"
    if taken.finished:
        taken.add_state(outcome.fields)
    else:
        taken.failures[taken.running] = outcome
    return taken
