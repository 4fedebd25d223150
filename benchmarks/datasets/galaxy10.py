"""Galaxy10: images of galaxies, classified by their shape, in two editions."""

from functools import partial

import numpy as np
import torch

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import Archive, DataFile, how_to_get, require
from benchmarks.datasets.hdf5 import HDF5Rows, import_h5py
from benchmarks.datasets.images import gather
from benchmarks.datasets.splits import split_pool

LICENCE = "not stated; credit SDSS or DESI Legacy Surveys, and Galaxy Zoo"
# The edition that the authors of the separable convolutions used: 21,785 images of 69×69.
SDSS = Archive(
    "https://zenodo.org/records/10844811/files/Galaxy10.h5",
    "969a6b1cefcc36e09fffa86febd2f699a4aa19b837ba0427f01b0bc6ded458af",
)
# The newer edition: 17,736 images of 256×256 with other classes, 2.5 GB.
DECALS = Archive(
    "https://zenodo.org/records/10845026/files/Galaxy10_DECals.h5",
    "19aefc477c41bb7f77ff07599a6b82a038dc042f889a111b0d4d98bb755c1571",
)


def load_galaxy10(request: Request) -> Dataset:
    """Load ``Galaxy10.h5`` (SDSS), or ``Galaxy10_DECals.h5`` where only that file exists, in parts of 80, 10 and 10 %.

    Galaxy10 has no test images of its own. The seed draws them too: compare only results of the same seed.
    """
    import_h5py()
    decals_only = (request.root / DECALS.name).exists() and not (request.root / SDSS.name).exists()
    archive = DECALS if decals_only else SDSS
    (path,) = require(request.root, [DataFile(archive.name, archive.digest, archive)], download=request.download)
    rows = HDF5Rows(path, "images", how_to_get(archive))  # (N, S, S, 3)
    labels = torch.from_numpy(HDF5Rows(path, "ans", how_to_get(archive))[:]).long()
    parts = split_pool(len(rows), np.random.default_rng(request.seed))
    read = partial(gather, rows, channels_last=True)
    origin = f"{archive.name} (Leung and Bovy, Galaxy Zoo)"
    return assemble(Source("galaxy10", origin, LICENCE, 10, 3, rows.shape[1], labels, read), parts, request)
