"""Profiles are stored and read again."""

from pathlib import Path

import pytest

from benchmarks.profiling.attribution import Place
from benchmarks.profiling.profile import Count, fastest_mean, fastest_quarter, read_profile, write_profile
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


def test_a_folder_without_a_profile_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"profile.json is no profile: No such file or directory; allowed: a "):
        read_profile(tmp_path)


def test_passes_that_waited_are_left_out() -> None:
    a, b = Place("forward", "a"), Place("forward", "b")
    fast = [{a: (1.0, 1.0), b: (2.0, 3.0)}, {a: (1.2, 1.0), b: (2.0, 3.0)}]
    waited = [{a: (90.0 + number, 1.0), b: (2.0, 3.0)} for number in range(6)]
    assert fastest_quarter([*waited, *fast]) == {a: (pytest.approx(1.1), 1.0), b: (2.0, 3.0)}


def test_the_fastest_quarter_has_at_least_one_pass() -> None:
    assert fastest_mean([3.0]) == 3
    assert fastest_mean([5.0, 1.0, 2.0, 3.0, 100.0]) == 1.5
    assert fastest_quarter([{Place(): (2.0, 0.0)}]) == {Place(): (2.0, 0.0)}
