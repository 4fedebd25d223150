"""pytest-benchmark: the layers and training steps of the asv suite through another clock.

Plain ``pytest`` runs each of them once, as a test of its output; ``nox -s bench`` measures them. A layer that is fast
and wrong fails either way.
"""

import itertools
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.cases.case import Case
from benchmarks.measure.correctness import check_output
from benchmarks.records.provenance import software
from benchmarks.records.suite_names import pytest_name
from benchmarks.suites.points import (
    NETWORKS,
    VERSION,
    absent,
    clock,
    cost,
    layer_cases,
    network_run,
    step_case,
    workload,
)

# Passes that are timed: as many as fit the budget, within bounds.
SECONDS = 0.5
FEWEST, MOST = 10, 200
WARM_UPS = 3

CASES = layer_cases() + list(
    dict.fromkeys(step_case(network_run(*point)) for point in itertools.product(*NETWORKS.values()))
)


@pytest.mark.parametrize("case", CASES, ids=pytest_name)
def test_pass(benchmark: BenchmarkFixture, case: Case) -> None:
    if reason := absent(case.device):
        pytest.skip(reason)
    built = workload(case)

    def run() -> None:
        built.run()
        clock()  # waits for the device

    benchmark.group = f"{case.layer} {case.direction} {case.device}"
    if benchmark.disabled:
        check_output(built)
        benchmark.pedantic(run, setup=built.prepare)
        return
    benchmark.extra_info.update(
        case=case.fields(), case_id=case.id, suite_version=VERSION, commit=software()["commit"], **cost(case)
    )
    seconds = min(timed(run, built.prepare) for _ in range(WARM_UPS))
    rounds = min(max(round(SECONDS / seconds), FEWEST), MOST)
    benchmark.pedantic(run, setup=built.prepare, rounds=rounds, warmup_rounds=WARM_UPS)


def timed(run: Callable[[], None], prepare: Callable[[], None]) -> float:
    """Seconds of one pass."""
    prepare()
    start = clock()
    run()
    return clock() - start
