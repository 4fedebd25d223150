"""Folders of records below another folder, for the message that this folder has none of its own."""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.statistics.written import some_of

# The most folders that a message names.
MOST_NAMED = 5


def folders_below(folder: Path) -> list[Path]:
    """Return the folders in a folder that have records, by name."""
    return sorted(path.parent for path in folder.glob("*/records.jsonl*") if path.suffix in (".jsonl", ".xz"))


def no_results(places: Iterable[Path], otherwise: str) -> str:
    """Return the message that some places have no records: it names the folders below that have, or else a remedy."""
    places = list(places)
    below = [str(folder) for place in places for folder in folders_below(place)]
    remedy = f"allowed: {some_of(below, MOST_NAMED)}" if below else otherwise
    return f"no results in {', '.join(map(str, places))}; {remedy}"
