"""The records behind a sentence, grouped by network or layer."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmarks.statistics.written import plural
from reports.words.names import DIRECTION_WORDS
from reports.words.numbers import mean_sd, percent


@dataclass(frozen=True)
class Source:
    """The records of one network or layer behind a sentence.

    Args:
        name: of the network or layer.
        what: how many records they are, and what they say together; empty where each says something else.
        records: what each record is, such as its seed or pass, and its row id.
    """

    name: str
    what: str
    records: tuple[tuple[str, str], ...]


def records_of(rows: pd.DataFrame) -> tuple[Source, ...]:
    """Return the records behind these rows, by the name in the column `name`, or else by the variant.

    Records are named by their passes; training runs by their seeds, each with its test accuracy, under the mean and the
    median of all seeds of a network.
    """
    if "anchor" not in rows:
        return ()
    known = rows[rows["anchor"].fillna("") != ""].drop_duplicates("anchor", keep="last").reset_index(drop=True)
    names = known["name"] if "name" in known else known["variant"]
    return tuple(
        Source(str(name), _over_seeds(mine), tuple((_record(row), row["anchor"]) for row in mine.to_dict("records")))
        for name, mine in known.groupby(names, sort=False)
    )


def _record(row: Mapping[Hashable, Any]) -> str:
    """Return what a record is: `seed 0: 97.1 %`, or its pass."""
    seed = row.get("seed", math.nan)
    if math.isfinite(seed):
        return f"seed {seed:.0f}: {percent(row['test_accuracy'])}"
    return DIRECTION_WORDS.get(row.get("direction", ""), "")


def _over_seeds(rows: pd.DataFrame) -> str:
    """Return the mean and the median test accuracy of training runs; an empty text for fewer than two."""
    if "test_accuracy" not in rows or rows["test_accuracy"].count() < 2:
        return ""
    known = rows["test_accuracy"].dropna()
    mean, median = mean_sd(known.mean(), known.std(ddof=1)), percent(known.median())
    return f"n = {plural(len(known), 'seed')}, mean {mean}, median {median}"
