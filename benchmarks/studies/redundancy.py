"""The redundancy of trained kernels along the group: the energy that one spatial kernel, shared along H, explains."""

import statistics
from dataclasses import dataclass

import numpy as np

from benchmarks.answers.text_tables import columns
from benchmarks.records.layer_names import layer_kernel_size
from benchmarks.records.record import Record
from benchmarks.studies.pairs import on_groups
from benchmarks.studies.results import StudyResults

# Kernels are redundant when one spatial kernel, shared along H, explains more than this share of their energy, and more
# than its share of the energy of independent random numbers. The latter is large where H has few elements.
MOST = 0.5
CHANCE_DRAWS = 200
# Names in ``gcnn_impl.redundancy``: one spatial kernel shared along H, and one shared by all input channels as well.
SHARED_ALONG_GROUP, SHARED_BY_CHANNELS_TOO = "gseparable", "separable"


@dataclass(frozen=True)
class Redundancy:
    """Shares of a layer's energy that one spatial kernel, shared along H, explains.

    Args:
        before, after: shares at the start and in the best epoch.
        threshold: share above which the layer counts as redundant.
        channels_too: share in the best epoch when all input channels share the kernel as well.
    """

    before: float
    after: float
    threshold: float
    channels_too: float


def layer_redundancy(record: Record) -> dict[str, Redundancy]:
    """Return the redundancy of each layer but those of kernel size 1, whose kernels are always redundant."""
    epochs, run = record["epochs"], record["run"]
    best_epoch = next(epoch for epoch in epochs if epoch["epoch"] == record["best_epoch"])
    bests = best_epoch.get("redundancy") or {}
    found = {}
    for name, start in (epochs[0].get("redundancy") or {}).items():
        best = bests.get(name, {})
        known = all({SHARED_ALONG_GROUP, SHARED_BY_CHANNELS_TOO} <= shares.keys() for shares in (start, best))
        size = layer_kernel_size(name, run)
        if size == 1 or not known:
            continue
        found[name] = Redundancy(
            start[SHARED_ALONG_GROUP],
            best[SHARED_ALONG_GROUP],
            max(MOST, chance(run["resolution"], disc_size(size))),
            best[SHARED_BY_CHANNELS_TOO],
        )
    return found


def redundancy_lines(results: StudyResults, matched: str) -> list[str]:
    """Return the table of the redundancy of each layer in full networks: means over seeds, in %."""
    rows = [("full", "layer", "shared along H: at the start", "after training", "by input channels too", "n")]
    for contender in on_groups(results.decisions.study, "full", "SO2"):
        networks = [layer_redundancy(record) for record in results.records[matched, contender]]
        for name in networks[0] if networks else ():
            known = [layers[name] for layers in networks if name in layers]
            before, after, too = (
                f"{100 * statistics.mean(getattr(layer, part) for layer in known):.1f}"
                for part in ("before", "after", "channels_too")
            )
            rows.append((f"|H|={contender.resolution}", name, before, after, too, str(len(known))))
    return columns(rows)


def chance(resolution: int, taps: int) -> float:
    """Return the share of energy of |H| × taps independent normal numbers that one shared spatial kernel explains."""
    draws = np.random.default_rng(0).normal(size=(CHANCE_DRAWS, resolution, taps))
    largest = np.linalg.svd(draws, compute_uv=False)[:, 0] ** 2
    return float(np.mean(largest / np.square(draws).sum(axis=(1, 2))))


def disc_size(kernel_size: int) -> int:
    """Return the number of taps of a k × k kernel inside its disc; group kernels are 0 outside the disc."""
    r = (kernel_size - 1) // 2
    return sum(i * i + j * j <= r * r for i in range(-r, r + 1) for j in range(-r, r + 1))
