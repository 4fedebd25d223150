"""The suite of pytest-benchmark: the layers and training steps of the asv suite, timed by another engine.

``pytest`` without options runs each pass once; ``nox -s bench`` measures the passes. Both check the output first.
"""

import itertools
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.cases.case import Case
from benchmarks.measure.correctness import check_output
from benchmarks.records.provenance import software
from benchmarks.records.suite_names import pytest_name
from benchmarks.suites import points
from benchmarks.suites.points import clock

# The number of timed passes: as many as fit into SECONDS, between FEWEST and MOST.
SECONDS = 0.5
FEWEST, MOST = 10, 200
WARM_UPS = 3

RUNS = [points.network_run(*point) for point in itertools.product(*points.NETWORK_POINTS.values())]
CASES = list(dict.fromkeys([*points.layer_cases(), *map(points.step_case, RUNS)]))


@pytest.mark.parametrize("case", CASES, ids=pytest_name)
def test_pass(benchmark: BenchmarkFixture, case: Case) -> None:
    if reason := points.absent(case.device):
        pytest.skip(reason)
    built = points.workload(case)

    def run() -> None:
        built.run()
        clock()  # waits for the device

    benchmark.group = f"{case.layer} {case.direction} {case.device}"
    if benchmark.disabled:
        check_output(built)
        benchmark.pedantic(run, setup=built.prepare)
        return
    origin = {"suite_version": points.VERSION, "commit": software()["commit"]}
    benchmark.extra_info.update(case=case.fields(), case_id=case.id, **origin, **points.cost(case))
    seconds = min(timed(run, built.prepare) for _ in range(WARM_UPS))
    rounds = min(max(round(SECONDS / seconds), FEWEST), MOST)
    benchmark.pedantic(run, setup=built.prepare, rounds=rounds, warmup_rounds=WARM_UPS)


def timed(run: Callable[[], None], prepare: Callable[[], None]) -> float:
    """Return the seconds of one pass."""
    prepare()
    start = clock()
    run()
    return clock() - start
