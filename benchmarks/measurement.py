"""One case, measured: what runs in a process of its own for every case.

First the answer is checked, then time, memory and MACs are taken, each by the instrument in ``measure`` that is named
after it.
"""

from typing import Any

import torch

from benchmarks.cases import Case
from benchmarks.measure.clock import Sampling, sample, synchronised_clock
from benchmarks.measure.correctness import check_output
from benchmarks.measure.flops import count_macs
from benchmarks.measure.memory import peak_memory
from benchmarks.measure.statistics import summarise
from benchmarks.workloads import build


def measure(case: Case, sampling: Sampling) -> dict[str, Any]:
    """The measured part of a case's record.

    Returns:
        ``seconds`` of one pass, raw and summarised; ``memory`` of one pass; number of ``parameters``; ``macs`` of one
        forward; ``equivariance_error``.

    Raises:
        InvalidResult: when the output is wrong; nothing is measured then.
    """
    torch.set_num_threads(case.threads)
    workload = build(case)
    error = check_output(workload)
    samples = sample(workload.run, synchronised_clock(case.device), sampling, prepare=workload.prepare)
    return {
        "seconds": {"samples": samples, **summarise(samples)},
        "memory": peak_memory(workload.run, case.device, prepare=workload.prepare),
        "parameters": sum(parameter.numel() for parameter in workload.module.parameters()),
        "macs": count_macs(workload.module, workload.x),
        "equivariance_error": error,
    }
