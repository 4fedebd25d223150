"""The folders that a run reads and writes; they do not change what is learned."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folders:
    """Folders of images, checkpoints and event files.

    Args:
        data_root: folder of the data sets' files.
        download: whether to fetch files that are missing or damaged.
        checkpoints: folder of the checkpoints; with None ``train`` writes no checkpoint.
        checkpoint_seconds: minimum time between checkpoints, extended where writing takes over 1 % of the time.
        tensorboard: folder of the event files, with a folder for each run; with None no event file is written.
    """

    data_root: Path = Path("data")
    download: bool = False
    checkpoints: Path | None = None
    checkpoint_seconds: float = 10.0
    tensorboard: Path | None = None


DEFAULT_FOLDERS = Folders()
