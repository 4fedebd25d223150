"""PatchCamelyon: is there tumour tissue in the centre of a 96×96 patch of a lymph node?

All 262,144 / 32,768 / 32,768 patches take 36 GB of memory. With a ``limit``, only the chosen patches are read.
"""

from functools import partial

import numpy as np
import torch
from torchvision.datasets import PCAM

from benchmarks.datasets.dataset import Dataset, Request, Source, assemble
from benchmarks.datasets.files import Archive, DataError, DataFile, how_to_get, require
from benchmarks.datasets.hdf5 import HDF5Rows, import_h5py
from benchmarks.datasets.images import Joined, gather

ORIGIN = "PatchCamelyon (Veeling et al. 2018)"
URL = "https://zenodo.org/records/2546921/files/"  # the same files as on Google Drive, where torchvision fetches them
FOLDER = "pcam"  # torchvision's layout


def load_pcam(request: Request) -> Dataset:
    """Load PCam in its published parts; the seed shuffles each part, so that ``limit`` takes a random sample.

    The published checksums are those of the packed files. A download is compared with its checksum. For files that
    were unpacked by hand, HDF5 itself detects files that end early and chunks that do not decompress.
    """
    import_h5py()  # before gigabytes are fetched
    images, labels = [], []
    for part in ("train", "val", "test"):  # torchvision's names
        pixels, targets = (_rows(request, part, kind, key) for kind, key in (("images", "x"), ("targets", "y")))
        if len(pixels) != len(targets):
            raise DataError(f"{pixels.path} has {len(pixels)} images, {targets.path} {len(targets)} labels")
        images.append(pixels)
        labels.append(targets[:].reshape(-1))  # (N, 1, 1, 1) in the file
    rows = Joined(images)
    generator = np.random.default_rng(request.seed)
    train, validation, test = (
        int(start) + torch.from_numpy(generator.permutation(len(array)))
        for start, array in zip(rows.starts, images, strict=False)
    )
    read = partial(gather, rows, channels_last=True)
    source = Source("pcam", ORIGIN, "CC0", 2, 3, 96, torch.from_numpy(np.concatenate(labels)).long(), read)
    return assemble(source, (train, validation, test), request)


def _rows(request: Request, part: str, kind: str, key: str) -> HDF5Rows:
    name, _, md5 = PCAM._FILES[part][kind]
    archive = Archive(f"{URL}{name}.gz", md5, FOLDER)
    (path,) = require(request.root, [DataFile(f"{FOLDER}/{name}", None, archive)], download=request.download)
    return HDF5Rows(path, key, how_to_get(archive))
