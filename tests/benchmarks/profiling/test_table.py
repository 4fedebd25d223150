"""A profile as lines of text."""

from benchmarks.profiling.attribution import Place
from benchmarks.profiling.profile import Count, Profile
from benchmarks.profiling.table import profile_lines
from tests.benchmarks.profiling.made_up import profile

ROUNDS = {Place("forward", f"conv{number}", (f"aten::operator{number}",)): (0.1, 0.1, 0.1) for number in range(20)}
PYTHON = {Place("forward", ""): (0.5, 0.5, 0.5), Place(): (0.1, 0.1, 0.1)}


def text(mine: Profile, top: int = 8, record_peak: int | None = None) -> str:
    return "\n".join(profile_lines(mine, top, record_peak))


def test_the_table_fits_on_a_screen_and_sums_up_the_rest() -> None:
    found = text(profile({**ROUNDS, **PYTHON}))
    assert found.count("\n") < 25
    assert "14 more" in found
    assert (
        "operators are 76.9% of the profiled pass, Python and dispatch between them 19.2%; 3.8% is not explained"
        in found
    )


def test_operators_whose_macs_are_unknown_are_named() -> None:
    counts = [Count("forward", "", "mine::fft", 1, None, 8), Count("forward", "", "aten::mm", 1, 2_000_000, 8)]
    assert (
        "the operators do 2.00 M MACs, without mine::fft; the layers computed directly, without fast paths, 0.00 M"
        in text(profile(PYTHON, counts))
    )


def test_the_peak_is_compared_with_that_of_the_record() -> None:
    assert "by the record 0.00 MiB (+100.00 %)" in text(profile(PYTHON), record_peak=4)
    assert "by the record" not in text(profile(PYTHON))


def test_a_busy_machine_is_said() -> None:
    busy = {"cpu": "a processor", "cores": 2, "gpu": None, "load_before": 7.0}
    assert "the machine was busy (load 7 on 2 cores)" in text(profile(PYTHON, provenance=busy))
    assert "busy" not in text(profile(PYTHON, provenance={**busy, "load_before": 0.9}))
    assert "the machine was busy" in text(profile(PYTHON, provenance={**busy, "threads": 2, "load_between": 2.6}))
    before = {**busy, "threads": 2, "load_between": 2.1}  # what made the load had ended
    assert "busy" not in text(profile(PYTHON, provenance=before))


def test_on_a_gpu_launches_and_gaps_are_said() -> None:
    mine = profile({Place(): (1.0, 1.0, 1.0)}, case={"device": "cuda"})
    assert "0 kernels are launched in a pass; the longest gap between them takes 0.000" in text(mine)
    assert "gaps between kernels" in text(mine)


def test_counted_instructions_are_printed() -> None:
    assert "instructions 3.00 M" in text(profile(PYTHON, instructions=3_000_000))
