"""The folders that a run reads and writes; they do not change what is learned."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.records.durable import partial_files


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

    def checkpoint(self, run_id: str) -> Path | None:
        """Return the path of a run's checkpoint; None where no checkpoint is written."""
        return None if self.checkpoints is None else self.checkpoints / f"{run_id}.checkpoint"

    def remove_checkpoint(self, run_id: str) -> None:
        """Delete the checkpoint of a run whose record is on the disk, and what killed processes left of it."""
        path = self.checkpoint(run_id)
        if path is not None:
            for found in (path, *partial_files(path)):
                found.unlink(missing_ok=True)


DEFAULT_FOLDERS = Folders()
