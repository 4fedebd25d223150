"""pytest-benchmark: the layers of the asv suite through another clock.

Every case is a test of its output as well, so that a layer that is fast and wrong fails.
"""

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.bench_layers import RESOLUTIONS, VARIANTS, suite_case
from benchmarks.cases import CHOICES, Case
from benchmarks.measure.correctness import check_output
from benchmarks.measure.flops import count_macs
from benchmarks.measure.memory import peak_memory
from benchmarks.workloads import build

ROUNDS = 20
WARM_UP_ROUNDS = 3

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
CASES = dict.fromkeys(
    suite_case(device, variant, resolution, direction)
    for device in DEVICES
    for direction in CHOICES["direction"]
    for variant in VARIANTS
    for resolution in RESOLUTIONS
)


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.variant}-{case.resolution}-{case.direction}-{case.device}"
)
def test_layer(benchmark: BenchmarkFixture, case: Case) -> None:
    torch.set_num_threads(case.threads)
    workload = build(case)
    error = check_output(workload)
    benchmark.group = case.direction
    benchmark.extra_info.update(
        case=case.fields(),
        case_id=case.id,
        parameters=sum(parameter.numel() for parameter in workload.module.parameters()),
        macs=count_macs(workload.module, workload.x),
        memory=peak_memory(workload.run, case.device, prepare=workload.prepare),
        equivariance_error=error,
    )

    def run() -> None:
        workload.run()
        if case.device == "cuda":
            torch.cuda.synchronize()

    benchmark.pedantic(run, setup=workload.prepare, rounds=ROUNDS, warmup_rounds=WARM_UP_ROUNDS)
