"""Findings in made-up samples, and samples without findings."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.statistics.noise import REMEDIES, verdict

QUIET: dict[str, Any] = {"threads": 1, "cores": 2, "load_before": 1.2, "load_after": 2.1, "gomp_spincount": "10000"}
Draw = Callable[[np.random.Generator, int], np.ndarray]

# Distributions of seconds, with spreads of 2 to 20 %.
UNIMODAL: dict[str, Draw] = {
    "normal": lambda rng, n: 0.01 * np.exp(0.05 * rng.normal(size=n)),
    "uniform": lambda rng, n: 0.01 * rng.uniform(1, 1.2, size=n),
    "exponential": lambda rng, n: 0.01 * (1 + 0.1 * rng.exponential(size=n)),
    "log-normal": lambda rng, n: 0.01 * (1 + 0.05 * rng.lognormal(size=n)),
    "heavy-tailed": lambda rng, n: 0.01 * (1 + 0.02 * rng.lognormal(sigma=2, size=n)),
}
TWO_MODES: dict[str, Draw] = {
    "equal": lambda rng, n: 0.01 * np.exp(0.015 * rng.normal(size=n)) * np.where(rng.random(n) < 0.5, 1, 1.1),
    "a fifth is slow": lambda rng, n: 0.01 * np.exp(0.01 * rng.normal(size=n)) * np.where(rng.random(n) < 0.2, 1.1, 1),
    "skewed": lambda rng, n: 0.01 * (1 + 0.01 * rng.exponential(size=n)) * np.where(rng.random(n) < 0.3, 1.15, 1),
}


def found(rounds: list[list[float]], **provenance: Any) -> list[str]:
    """Return the kinds of the findings."""
    return [finding["kind"] for finding in verdict(rounds, QUIET | provenance)["findings"]]


def drawn(draw: Draw, rng: np.random.Generator, n: int, rounds: int = 5) -> list[list[float]]:
    return draw(rng, n * rounds).reshape(rounds, n).tolist()


@pytest.mark.parametrize("n", [10, 40, 400])
@pytest.mark.parametrize("name", UNIMODAL)
def test_nothing_is_found_in_unimodal_samples_without_drift(name: str, n: int) -> None:
    rng = np.random.default_rng(0)
    false = sum(found(drawn(UNIMODAL[name], rng, n)) != [] for _ in range(300))
    assert false <= 6  # the definition allows 1 of 100


@pytest.mark.parametrize("name", TWO_MODES)
def test_two_modes_are_found(name: str) -> None:
    rng = np.random.default_rng(1)
    assert sum(found(drawn(TWO_MODES[name], rng, 80)) == ["bimodal"] for _ in range(50)) >= 48


def test_two_modes_are_found_where_each_process_is_in_one_of_them() -> None:
    rng = np.random.default_rng(2)
    rounds = [(level * np.exp(0.01 * rng.normal(size=30))).tolist() for level in (1.0, 1.1, 1.0, 1.1, 1.1)]
    (finding,) = verdict(rounds, QUIET)["findings"]
    assert finding["kind"] == "bimodal"
    assert re.fullmatch(r"(39|40|41)% of the passes take about \S+ s, the others \S+ s", finding["detail"])


def test_modes_that_nearly_meet_are_one() -> None:
    rng = np.random.default_rng(3)
    samples = np.where(rng.random(500) < 0.5, 1, 1.03) * np.exp(0.001 * rng.normal(size=500))
    assert found(samples.reshape(5, 100).tolist()) == []


def test_equal_samples_are_quiet() -> None:
    assert verdict([[1.0] * 20] * 5, QUIET) == {"verdict": "quiet", "findings": []}


@pytest.mark.parametrize("change", [-0.06, 0.06])
def test_drift_inside_of_processes_is_found(change: float) -> None:
    rng = np.random.default_rng(4)
    ramp = np.exp(change * np.linspace(0, 1, 30) + 0.02 * rng.normal(size=(5, 30)))
    (finding,) = verdict(ramp.tolist(), QUIET)["findings"]
    assert finding["kind"] == "drift"
    assert ("more time" in finding["detail"]) == (change > 0)


def test_processes_that_differ_from_each_other_do_not_drift() -> None:
    rng = np.random.default_rng(5)
    levels = 1 + 0.03 * np.arange(5)[:, None]
    assert found((levels * np.exp(0.02 * rng.normal(size=(5, 30)))).tolist()) == []


@pytest.mark.parametrize("n", [7, 30])
def test_a_process_that_is_much_slower_than_another_is_found(n: int) -> None:
    rng = np.random.default_rng(6)
    levels = np.array([1.0, 1.05, 1.4, 1.1])[:, None]
    findings = verdict((levels * np.exp(0.02 * rng.normal(size=(4, n)))).tolist(), QUIET)["findings"]
    details = {finding["kind"]: finding["detail"] for finding in findings}
    expected = r"the slowest of 4 processes took (3[5-9]|4[0-5])% longer than the fastest"
    assert re.fullmatch(expected, details["processes_differ"])


def test_processes_whose_samples_overlap_do_not_differ() -> None:
    fast, slow = [1.0, 1.0, 1.0, 1.0, 1.6, 1.7, 1.8], [1.0, 1.0, 1.0, 1.3, 1.6, 1.7, 1.8]
    assert found([fast, fast, slow]) == []


@pytest.mark.parametrize("rounds", [[], [[]], [[1.0] * 30], [[], [1.0] * 30]])
def test_less_than_two_processes_with_samples_do_not_differ(rounds: list[list[float]]) -> None:
    assert found(rounds) == ["too_few_samples"]


def test_too_few_samples_or_rounds_are_found() -> None:
    assert found([[1.0] * 6] * 3) == ["too_few_samples"]
    assert found([[1.0] * 50] * 2) == ["too_few_samples"]
    assert found([[1.0] * 7] * 3) == []
    details = [verdict(rounds, QUIET)["findings"][0]["detail"] for rounds in ([[1.0] * 6] * 3, [[1.0] * 50] * 2)]
    assert details == ["18 samples; 20 or more are wanted", "processes that timed passes: 2; 3 or more are wanted"]


@pytest.mark.parametrize(
    ("provenance", "kind", "detail"),
    [
        ({"load_before": 3.4}, "oversubscribed", "load average 3.4 on 2 cores"),
        ({"load_after": 2.6}, "oversubscribed", "load average 2.6 on 2 cores"),
        ({"load_before": 3.4, "load_between": 2.7}, "oversubscribed", "load average 3.4 on 2 cores"),
        ({"steal_share": 0.04}, "oversubscribed", "the host took 4.0% of the processor's time for others"),
        ({"throttled_periods": 7}, "throttled", "the container's CPU quota stopped it in 7 periods"),
        ({"frequency_before": 3500.0, "frequency_after": 2800.0}, "throttled", "the clock fell from 3500 to 2800 MHz"),
        ({"gpu_state": {"other_processes": 2}}, "oversubscribed", "2 other processes use the GPU"),
        (
            {"gpu_state": {"slowdowns": ["the power limit", "the temperature, by the driver"]}},
            "throttled",
            "the GPU's clock was lowered by the power limit; the temperature, by the driver",
        ),
        (
            {"gpu_state": {"clock_lowest": 1200.0, "clock_max": 1980.0, "slowdowns": []}},
            "throttled",
            "the GPU's clock was 1200 of 1980 MHz",
        ),
        ({"threads": None}, "threads_unpinned", "the number of threads is not recorded"),
        (
            {"threads": 2, "gomp_spincount": None},
            "threads_unpinned",
            "2 threads that spin while they wait (GOMP_SPINCOUNT is not set)",
        ),
    ],
)
def test_the_machine_is_judged(provenance: dict[str, Any], kind: str, detail: str) -> None:
    judged = verdict([[1.0] * 20] * 5, QUIET | provenance)
    assert judged == {"verdict": "noisy", "findings": [{"kind": kind, "detail": detail, "remedy": REMEDIES[kind]}]}


@pytest.mark.parametrize(
    "provenance",
    [
        {"load_before": None, "load_after": None},
        {"frequency_before": 3500.0, "frequency_after": 3450.0},
        {"steal_share": 0.0, "throttled_periods": 0},
        {"threads": 2},
        {"load_before": 4.1, "load_after": 3.1, "load_between": 2.1},  # an installation that has just ended
        {"gpu_state": {"clock_lowest": 1700.0, "clock_max": 1980.0, "slowdowns": [], "other_processes": 0}},
        {"gpu_state": {"clock_lowest": None, "clock_max": None, "slowdowns": [], "other_processes": None}},
    ],
)
def test_a_healthy_machine_or_one_without_values_is_quiet(provenance: dict[str, Any]) -> None:
    assert found([[1.0] * 20] * 5, **provenance) == []
