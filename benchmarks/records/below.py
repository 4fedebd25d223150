"""Messages about folders without the records that a command needs."""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.records.record import Record
from benchmarks.statistics.written import some_of

# The most folders that a message names.
MOST_NAMED = 5


def folders_below(folder: Path) -> list[Path]:
    """Return the folders in a folder that have records, by name."""
    return sorted(path.parent for path in folder.glob("*/records.jsonl*") if path.suffix in (".jsonl", ".xz"))


def named_places(places: Iterable[Path]) -> str:
    """Return the paths of some places, each with the remark that it is missing where it is."""
    return ", ".join(f"{place}{'' if place.exists() else ' (there is no such folder or file)'}" for place in places)


def no_results(places: Iterable[Path], otherwise: str) -> str:
    """Return the message that some places have no records: it names the folders below that have, or else a remedy."""
    places = list(places)
    below = [str(folder) for place in places for folder in folders_below(place)]
    remedy = f"allowed: {some_of(below, MOST_NAMED)}" if below else otherwise
    return f"no results in {named_places(places)}; {remedy}"


def nothing_trained(place: Path, records: Iterable[Record]) -> str:
    """Return the message that the records of a place have no network whose training succeeded."""
    failed = sum(record["kind"] == "training" for record in records)
    why = f"its runs failed ({failed})" if failed else "its records are of costs alone"
    return f"{place} has no trained network: {why}; train some: python -m benchmarks train"
