"""Tests of the options that several commands share."""

from benchmarks.commands.options import PROFILE_SAMPLING
from benchmarks.statistics.noise import MIN_ROUNDS, MIN_SAMPLES


def test_no_profile_is_noisy_because_of_its_own_sampling() -> None:
    """The samples are those that a slow case has, which ends when it has the smallest number."""
    quick = PROFILE_SAMPLING["quick"]
    share = quick.per_round()
    assert quick.rounds * share.min_samples >= MIN_SAMPLES
    assert quick.rounds >= MIN_ROUNDS
