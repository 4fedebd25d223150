"""Arrays in HDF5 files, read in slices; h5py is an optional dependency."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.datasets.files import DataError


def import_h5py() -> ModuleType:
    """Import h5py.

    Raises:
        DataError: when h5py is not installed; the message says how to get it.
    """
    try:
        import h5py
    except ModuleNotFoundError:
        raise DataError("HDF5 files need h5py, which is not installed; get it with: pip install h5py") from None
    module: ModuleType = h5py
    return module


class HDF5Rows:
    """One array of an HDF5 file; ``remedy`` says in error messages how to get the file again.

    Each access opens the file anew, so that the object can be sent to another process.
    """

    def __init__(self, path: Path, key: str, remedy: str) -> None:
        self.path, self.key, self.remedy = path, key, remedy
        self.shape: tuple[int, ...] = self._with_array(lambda array: array.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, places: np.ndarray | slice) -> np.ndarray:
        """Return the values at ascending indices."""
        values: np.ndarray = self._with_array(lambda array: array[places])
        return values

    def _with_array(self, look: Any) -> Any:
        h5py = import_h5py()
        try:
            with h5py.File(self.path, "r") as file:
                return look(file[self.key])
        except FileNotFoundError:
            raise DataError(f"{self.path} is missing; {self.remedy}") from None
        except (OSError, KeyError) as error:  # the file ends early, lacks the array, or has a damaged chunk
            reason = str(error).strip("'\" ")
            raise DataError(f"{self.path} is truncated or corrupt: {reason}; remove it and {self.remedy}") from None
