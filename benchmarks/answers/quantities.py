"""The costs that a budget may limit: their names, units and words."""

from dataclasses import dataclass

from benchmarks.statistics.over_seeds import Estimate
from benchmarks.statistics.written import interval


@dataclass(frozen=True)
class Quantity:
    """A cost that a budget may limit.

    Args:
        text: its name in texts.
        short: a shorter name.
        label: the word in front of a value whose unit does not say what was measured.
    """

    unit: str
    text: str
    short: str
    label: str = ""


QUANTITIES = {
    "ms": Quantity("ms", "time per image of inference", "time of inference"),
    "mib": Quantity("MiB", "peak memory of a pass of inference", "memory of inference", "inference"),
    "epoch_seconds": Quantity("s/epoch", "training time per epoch", "time of an epoch"),
    "training_seconds": Quantity("s", "training time of the whole run", "time of training", "training"),
    "training_mib": Quantity("MiB", "peak memory of a training step", "memory of training", "training"),
    "macs": Quantity("MACs", "multiply–accumulates per image without those of kernels", "MACs"),
    "parameters": Quantity("parameters", "learnable numbers", "parameters"),
}
# Quantities of inference, measured in a sweep over networks. The others are recorded with every training run.
SWEPT = ("ms", "mib")
# Quantities without an interval: counts, and memory, which is measured once.
EXACT = ("mib", "training_mib", "macs", "parameters")
# The quantity whose interval is that of its record, as on the page. The intervals of the others are over seeds.
OF_RECORD = "ms"


def quantity(name: str, value: float) -> str:
    """Write a number with its unit.

    >>> quantity("macs", 12_300_000), quantity("training_seconds", 4321)
    ('12.3M MACs', '4,321 s')
    """
    unit = QUANTITIES[name].unit
    for factor, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if name in ("macs", "parameters") and value >= factor:
            return f"{value / factor:.3g}{prefix} {unit}"
    return f"{value:,.0f} {unit}" if 1000 <= value < 1e9 else f"{value:.3g} {unit}"


def labelled(name: str, value: float) -> str:
    """Write a number with its unit, and with what was measured where the unit does not say it.

    >>> labelled("training_mib", 10.2), labelled("ms", 1.5)
    ('training 10.2 MiB', '1.5 ms')
    """
    return f"{QUANTITIES[name].label} {quantity(name, value)}".lstrip()


def bounds(name: str, cost: Estimate) -> str:
    """Write the interval of a cost, or that n is too small for one; empty for quantities without an interval."""
    return "" if name in EXACT else interval(cost.low, cost.high, ".3g", None if name == OF_RECORD else cost.n)
