"""PatchCamelyon: is there tumour tissue in the centre of a 96×96 patch of a lymph node?

All of it, 262,144 / 32,768 / 32,768 patches, takes 36 GB in memory; what ``limit`` leaves out is never read.
"""

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import PCAM

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import Archive, DataError, DataFile, how_to_get, require
from benchmarks.datasets.hdf5 import HDF5Rows, import_h5py
from benchmarks.datasets.images import Joined, gather

ORIGIN = "PatchCamelyon (Veeling et al. 2018)"
LICENCE = "CC0"
URL = "https://zenodo.org/records/2546921/files/"  # the same files as on torchvision's drive
FOLDER = "pcam"  # torchvision's layout
IMAGE_SIZE = 96
PARTS = ("train", "val", "test")  # torchvision's names


def load_pcam(request: Request) -> Dataset:
    """PCam in its own three parts; ``limit`` draws from each by the seed.

    The published checksums are those of the packed files. A download is held against them; of files that were unpacked
    by hand, HDF5 itself finds those that end early, and chunks that do not decompress.
    """
    import_h5py()  # before gigabytes are fetched
    arrays = {}
    for part in PARTS:
        for kind, key in (("images", "x"), ("targets", "y")):
            name, _, md5 = PCAM._FILES[part][kind]
            archive = Archive(f"{URL}{name}.gz", md5, FOLDER)
            (path,) = require(request.root, [DataFile(f"{FOLDER}/{name}", None, archive)], download=request.download)
            arrays[part, kind] = HDF5Rows(path, key, how_to_get(archive))
        images, targets = arrays[part, "images"], arrays[part, "targets"]
        if len(images) != len(targets):
            raise DataError(f"{images.path} has {len(images)} images, {targets.path} {len(targets)} labels")
    generator = np.random.default_rng(request.seed)
    rows = Joined([arrays[part, "images"] for part in PARTS])
    train, validation, test = (
        int(start) + torch.from_numpy(generator.permutation(len(array)))
        for start, array in zip(rows.starts, rows.arrays, strict=False)
    )
    labels = np.concatenate([arrays[part, "targets"][:].reshape(-1) for part in PARTS])  # each (N, 1, 1, 1)
    size = request.image_size or IMAGE_SIZE

    def read(indices: Tensor) -> Tensor:
        return gather(rows, indices, size, channels_last=True)

    source = Source("pcam", ORIGIN, LICENCE, 2, (3, size, size), torch.from_numpy(labels).long(), read)
    return assemble(source, (train, validation, test), request)
