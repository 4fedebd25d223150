"""The end of a run: after a number of epochs, MACs or seconds."""

from benchmarks.cases.case import InvalidCase
from benchmarks.cases.training_run import TrainingRun


def last_step(run: TrainingRun, epoch_steps: int, macs_per_step: int | None) -> int | None:
    """Return the number of steps in the budget of a run; None for a budget of seconds.

    Raises:
        InvalidCase: for a budget of MACs that is smaller than those of one step, or whose MACs cannot be counted.
    """
    if run.budget_unit == "epochs":
        return int(run.budget) * epoch_steps
    if run.budget_unit == "seconds":
        return None
    if macs_per_step is None:
        raise InvalidCase("a budget of macs is not possible: the network's MACs cannot be counted")
    steps = int(run.budget // macs_per_step)
    if steps == 0:
        raise InvalidCase(f"budget {run.budget} is not allowed; allowed: {macs_per_step} macs or more")
    return steps
