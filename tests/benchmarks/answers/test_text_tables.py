"""Tests of tables of text."""

from benchmarks.answers.text_tables import columns


def test_columns_are_aligned() -> None:
    assert columns([("", "ab"), ("name", "1")]) == ["      ab", "name   1"]
