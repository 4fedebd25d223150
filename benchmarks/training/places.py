"""Where a run finds its images and leaves what it writes: nothing of this changes what is learned."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Places:
    """Folders.

    Args:
        data_root: where the files of data sets are.
        download: fetch those that are missing or damaged.
    """

    data_root: Path = Path("data")
    download: bool = False


DEFAULT_PLACES = Places()
