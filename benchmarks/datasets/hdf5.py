"""Arrays in HDF5 files, read in slices; h5py is an optional dependency."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.datasets.files import DataError


def import_h5py() -> ModuleType:
    """h5py, or one line that says how to get it.

    Raises:
        DataError: when it is not installed.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise DataError("HDF5 files need h5py, which is not installed; get it with: pip install h5py") from None
    return h5py


class HDF5Rows:
    """One array of an HDF5 file, opened anew for every slice, so that it can be handed to another process.

    Args:
        remedy: how to get the file again, the end of a message.
    """

    def __init__(self, path: Path, key: str, remedy: str) -> None:
        self.path, self.key, self.remedy = path, key, remedy
        self.shape: tuple[int, ...] = self._with_array(lambda array: array.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, places: np.ndarray | slice) -> np.ndarray:
        """Values at ascending places."""
        return self._with_array(lambda array: array[places])

    def _with_array(self, look: Any) -> Any:
        h5py = import_h5py()
        try:
            with h5py.File(self.path, "r") as file:
                return look(file[self.key])
        except FileNotFoundError:
            raise DataError(f"{self.path} is missing; {self.remedy}") from None
        except (OSError, KeyError) as error:  # it ends early, a chunk does not decompress, an array is not there
            reason = str(error).strip("'\" ")
            raise DataError(f"{self.path} is truncated or corrupt: {reason}; remove it and {self.remedy}") from None
