"""Noise: reasons to distrust a measurement, and remedies, found from its samples and provenance.

Thresholds are of two kinds. The sizes below which an effect does not matter (drift, distance of modes, …) are choices.
How clear an effect must be is set so that unimodal samples without drift give a false finding in at most 1 of 100
cases; the tests check this for normal, uniform, exponential, log-normal and heavy-tailed samples.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.statistics.comparison import Rounds

# Fewer processes say little about the next process, and fewer passes say little about a process.
MIN_ROUNDS = 3
MIN_SAMPLES = 20
# A drift needs a difference of this fraction between the medians of the first and the last third of a process.
DRIFT = 0.02
# A drift also needs a difference of this many standard errors of the rank sum of the two thirds.
DRIFT_Z = 3.5
# Modes that differ by less than this fraction count as one mode.
MODE_DISTANCE = 0.05
# A mode has at least MODE_SHARE of all samples; a valley is at least VALLEY_DEPTH times less dense than both modes.
MODE_SHARE = 0.1
VALLEY_DEPTH = 2.0
# With m samples per mode, uniform samples show a valley of depth exp(5 / √m) in 1 of 100 cases, for any m.
VALLEY_NOISE = 5.0
# With fewer samples, a mode may be a coincidence.
MIN_SAMPLES_FOR_MODES = 50
# Processes differ if the median of the slowest is this fraction above that of the fastest.
PROCESS_DISTANCE = 0.25
# The load above the number of cores that a measurement on all cores causes itself, with its parent process.
OWN_LOAD = 0.5
STEAL_SHARE = 0.01
FREQUENCY_LOSS = 0.05
# A GPU under load runs below its highest clock, and how far depends on the model. A loss of this fraction is more.
GPU_CLOCK_LOSS = 0.3

Provenance = Mapping[str, Any]

# The finding whose cause is not the machine but the time that a case was given.
TOO_FEW_SAMPLES = "too_few_samples"
# The finding that more wanted to run at once than the machine can run.
OVERSUBSCRIBED = "oversubscribed"

REMEDIES = {
    TOO_FEW_SAMPLES: "give more time: --seconds, --rounds",
    "drift": "warm up longer, or wait until the machine has cooled down or calmed down",
    "bimodal": "look for what switches between two states: other processes, clock frequency, placement of memory",
    "processes_differ": "take more processes (--rounds), as each places its memory elsewhere, or wait for calm",
    OVERSUBSCRIBED: "stop other processes, use fewer threads, or measure on a host of your own",
    "throttled": "fix the clock frequency, improve cooling, or raise the CPU quota or the GPU's power limit",
    "threads_unpinned": "set the number of threads (--threads) and GOMP_SPINCOUNT=10000, as the sweep does",
}


def verdict(rounds: Rounds, provenance: Provenance) -> dict[str, Any]:
    """Judge the samples of one case.

    Args:
        rounds: seconds of every process, in the order of measurement.
        provenance: the values of ``records.provenance``: load, cores, share of stolen time, frequencies, throttled
            periods, threads, settings of OpenMP, GPU and its states. A missing value or None is not judged; only a
            missing ``threads`` is a finding.

    Returns:
        ``verdict``: "noisy" if there is a finding, else "quiet"; ``findings``: each with a ``kind`` (a key of
        ``REMEDIES``), a ``detail`` and the ``remedy``.
    """
    details = {
        TOO_FEW_SAMPLES: _too_few(rounds),
        "drift": _drift(rounds),
        "bimodal": _bimodal(rounds),
        "processes_differ": _processes_differ(rounds),
        OVERSUBSCRIBED: _oversubscribed(provenance),
        "throttled": _throttled(provenance),
        "threads_unpinned": _unpinned(provenance),
    }
    findings = [
        {"kind": kind, "detail": detail, "remedy": REMEDIES[kind]} for kind, detail in details.items() if detail
    ]
    return {"verdict": "noisy" if findings else "quiet", "findings": findings}


def _too_few(rounds: Rounds) -> str | None:
    n = sum(map(len, rounds))
    if len(rounds) >= MIN_ROUNDS and n >= MIN_SAMPLES:
        return None
    if len(rounds) < MIN_ROUNDS:
        return f"processes that timed passes: {len(rounds)}; {MIN_ROUNDS} or more are wanted"
    return f"{n} samples; {MIN_SAMPLES} or more are wanted"


def _drift(rounds: Rounds) -> str | None:
    """Compare the last third of each process with its first: Mann and Whitney's rank sum, summed over processes."""
    excess = variance = 0.0
    changes = []
    for samples in rounds:
        m = len(samples) // 3
        if m == 0:
            continue
        first, last = np.sort(samples[:m]), np.asarray(samples[-m:])
        below = np.searchsorted(first, last, "left") + np.searchsorted(first, last, "right")
        excess += float(np.sum(below)) / 2 - m**2 / 2
        variance += m**2 * (2 * m + 1) / 12
        changes.append(math.log(np.median(last) / np.median(first)))
    if not changes:
        return None
    change = math.expm1(np.median(changes))
    if abs(change) < DRIFT or abs(excess) < DRIFT_Z * math.sqrt(variance):
        return None
    return f"the last third of a round takes {abs(change):.1%} {'more' if change > 0 else 'less'} time than the first"


def _bimodal(rounds: Rounds) -> str | None:
    """Look for two dense ranges of samples with a sparse range between them.

    The density is the reciprocal of the width of a window of m successive samples, with m a tenth of all samples, so
    that it is equally precise everywhere. Only windows without common samples are compared. The widths of a unimodal
    distribution, even of a skewed one, fall and then rise; a window is a valley if it is wider than one before it and
    one after it.
    """
    n = sum(map(len, rounds))
    if n < MIN_SAMPLES_FOR_MODES:
        return None
    values = np.sort(np.log(np.concatenate([np.asarray(samples, dtype=np.float64) for samples in rounds])))
    m = math.ceil(MODE_SHARE * n)
    widths = values[m:] - values[:-m] + np.finfo(np.float32).eps  # so that equal samples have a finite density
    before = np.minimum.accumulate(widths)[: -2 * m]
    after = np.minimum.accumulate(widths[::-1])[::-1][2 * m :]
    depths = widths[m:-m] / np.maximum(before, after)
    valley = int(np.argmax(depths)) + m + m // 2
    low, high = np.median(values[:valley]), np.median(values[valley:])
    clear = depths.max() >= max(VALLEY_DEPTH, math.exp(VALLEY_NOISE / math.sqrt(m)))
    if not clear or math.expm1(high - low) < MODE_DISTANCE:
        return None
    return f"{valley / n:.0%} of the passes take about {math.exp(low):.3g} s, the others {math.exp(high):.3g} s"


def _processes_differ(rounds: Rounds) -> str | None:
    """Compare the slowest process with the fastest: the middle halves of their samples must not overlap."""
    timed = [samples for samples in rounds if len(samples)]
    if len(timed) < 2:
        return None
    slowest, fastest = max(timed, key=np.median), min(timed, key=np.median)
    distance = float(np.median(slowest) / np.median(fastest)) - 1
    if distance < PROCESS_DISTANCE or np.quantile(slowest, 0.25) <= np.quantile(fastest, 0.75):
        return None
    return f"the slowest of {len(timed)} processes took {distance:.0%} longer than the fastest"


def _oversubscribed(provenance: Provenance) -> str | None:
    load = max(provenance.get("load_before") or 0.0, provenance.get("load_after") or 0.0)
    cores, steal = provenance.get("cores"), provenance.get("steal_share")
    between = provenance.get("load_between")  # after an installation, say, the average stays high for a minute or two
    if cores is not None and load > cores + OWN_LOAD and (between is None or between > cores + OWN_LOAD):
        return f"load average {load:g} on {cores} cores"
    if steal is not None and steal > STEAL_SHARE:
        return f"the host took {steal:.1%} of the processor's time for others"
    if others := (provenance.get("gpu_state") or {}).get("other_processes"):
        return f"{others} other processes use the GPU"
    return None


def _throttled(provenance: Provenance) -> str | None:
    periods = provenance.get("throttled_periods")
    before, after = provenance.get("frequency_before"), provenance.get("frequency_after")
    if periods:
        return f"the container's CPU quota stopped it in {periods} periods"
    if before and after and after < (1 - FREQUENCY_LOSS) * before:
        return f"the clock fell from {before:.0f} to {after:.0f} MHz"
    return _slow_gpu(provenance.get("gpu_state") or {})


def _slow_gpu(state: Mapping[str, Any]) -> str | None:
    lowest, highest = state.get("clock_lowest"), state.get("clock_max")
    if state.get("slowdowns"):
        return f"the GPU's clock was lowered by {'; '.join(state['slowdowns'])}"
    if lowest and highest and lowest < (1 - GPU_CLOCK_LOSS) * highest:
        return f"the GPU's clock was {lowest:.0f} of {highest:.0f} MHz"
    return None


def _unpinned(provenance: Provenance) -> str | None:
    threads = provenance.get("threads")
    if threads is None:
        return "the number of threads is not recorded"
    sleeps = provenance.get("omp_wait_policy") == "PASSIVE" or provenance.get("gomp_spincount") is not None
    if threads > 1 and not sleeps and provenance.get("gpu") is None:
        return f"{threads} threads that spin while they wait (GOMP_SPINCOUNT is not set)"
    return None


def busy_text(provenance: Mapping[str, Any]) -> str:
    """Return how busy other programs kept the machine before and during a measurement; empty if they did not.

    >>> busy_text({"load_before": 4.6, "load_between": None, "cores": 2, "threads": 1})
    'the machine was busy (load 4.6 on 2 cores)'
    """
    load, cores = provenance.get("load_before"), provenance.get("cores")
    between, own = provenance.get("load_between"), (provenance.get("threads") or 0) + OWN_LOAD
    if load is not None and cores is not None and load > cores / 2 and (between is None or between > own):
        return f"the machine was busy (load {load:g} on {cores} cores)"
    return ""
