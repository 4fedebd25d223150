"""Profiles are stored and read again."""

from pathlib import Path

import pytest

from benchmarks.profiling.attribution import Place
from benchmarks.profiling.profile import Count, middle_half, middle_mean, read_profile, write_profile
from tests.benchmarks.profiling.made_up import profile

MIX = Place("forward", "conv", ("gcnn::mix", "aten::empty"))


def test_a_profile_is_read_as_it_was_written(tmp_path: Path) -> None:
    mine = profile({MIX: (1.0, 2.0, 3.0)}, [Count("forward", "conv", "gcnn::mix", 1, None, 8)])
    path = write_profile(mine, tmp_path)
    assert read_profile(path) == read_profile(tmp_path) == mine


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "another/1"}', '{"schema": "gcnn-profile/1"}'])
def test_another_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "profile.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"profile.json is no profile: .*; allowed: a profile.json") as error:
        read_profile(path)
    assert "\n" not in str(error.value)


def test_the_middle_half_leaves_disturbed_passes_out() -> None:
    a, b = Place("forward", "a"), Place("forward", "b")
    usual = [{a: (1.0, 1.0), b: (2.0, 3.0)}, {a: (1.2, 1.0), b: (2.0, 3.0)}]
    found = middle_half([*usual, {a: (90.0, 1.0), b: (2.0, 3.0)}, {a: (0.1, 1.0)}])
    assert found == {a: (1.1, 1.0), b: (2.0, 3.0)}


def test_the_means_of_places_add_up_to_the_mean_of_the_pass() -> None:
    assert middle_mean([5.0, 1.0, 2.0, 3.0, 100.0]) == pytest.approx((2 + 3 + 5) / 3)
