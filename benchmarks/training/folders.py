"""Where a run finds its images and leaves what it writes: nothing of this changes what is learned."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folders:
    """Folders.

    Args:
        data_root: where the files of data sets are.
        download: fetch those that are missing or damaged.
        checkpoints: where runs in progress are kept; None keeps none.
        checkpoint_seconds: how often, at most; never so often that it takes more than 1 % of the time.
        tensorboard: where event files go, a folder for each run; None writes none.
    """

    data_root: Path = Path("data")
    download: bool = False
    checkpoints: Path | None = None
    checkpoint_seconds: float = 10.0
    tensorboard: Path | None = None


DEFAULT_FOLDERS = Folders()
