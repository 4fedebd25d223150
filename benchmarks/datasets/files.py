"""Files of published data sets are checked against their checksums, and fetched; error messages are one line."""

import gzip
import hashlib
import shutil
import tarfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DIGESTS = {32: "md5", 64: "sha256"}  # by their number of hexadecimal digits


class DataError(ValueError):
    """Images that are missing, damaged or cannot be used; the message is one line."""


@dataclass(frozen=True)
class Archive:
    """A download that a publisher offers.

    Args:
        url: address of a file that is kept as it is, of a ``.tar.gz`` to unpack or of a ``.h5.gz`` to decompress.
        digest: MD5 or SHA-256 of the download, hexadecimal.
        folder: where the download or its contents go, relative to the data root.
    """

    url: str
    digest: str
    folder: str = "."

    @property
    def name(self) -> str:
        """The last part of the address."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class DataFile:
    """A file that a loader reads.

    Args:
        path: path relative to the data root.
        digest: MD5 or SHA-256 of the content, hexadecimal; None where the publisher gives none.
        archive: the download that contains the file.
    """

    path: str
    digest: str | None
    archive: Archive


def require(root: Path, files: Sequence[DataFile], *, download: bool = False) -> list[Path]:
    """Return the paths of the files, after checking that they exist and have their checksums.

    Args:
        download: whether to fetch the archives of missing and damaged files.

    Raises:
        DataError: for the first file that is missing or damaged.
    """
    for file in files:
        problem = _problem(root / file.path, file.digest)
        if problem and download:
            fetch(root, file.archive)
            problem = _problem(root / file.path, file.digest)
        if problem:
            raise DataError(f"{root / file.path} {problem}; {how_to_get(file.archive)}")
    return [root / file.path for file in files]


def how_to_get(archive: Archive) -> str:
    """Return advice on how to get the archive, for the end of an error message."""
    where = f"get it with --download (download=True), or fetch {archive.url}"
    if not archive.name.endswith((".tar.gz", ".h5.gz")):
        return where
    return f"{where} ({DIGESTS[len(archive.digest)]} {archive.digest}) and unpack it"


def fetch(root: Path, archive: Archive) -> None:
    """Download an archive and unpack it; a download gets its final name only when it is complete.

    Raises:
        DataError: when the archive cannot be fetched or differs from the published one.
        OSError: when there is no space or no permission to write.
    """
    folder = root / archive.folder
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{archive.name}.part"
    try:
        # The tests use file: addresses.
        with urllib.request.urlopen(archive.url) as response, partial.open("wb") as target:
            shutil.copyfileobj(response, target)
    except OSError as error:  # includes urllib's errors
        partial.unlink(missing_ok=True)
        raise DataError(f"{archive.url} cannot be fetched: {error}") from error
    if problem := _problem(partial, archive.digest):
        partial.unlink()
        raise DataError(f"{archive.url} {problem}; try again later or ask its publisher")
    if archive.name.endswith(".tar.gz"):
        with tarfile.open(partial) as tar:
            tar.extractall(folder, filter="data")
        partial.unlink()
    elif archive.name.endswith(".h5.gz"):
        unpacked = folder / archive.name.removesuffix(".gz")
        with gzip.open(partial) as content, unpacked.with_suffix(".part").open("wb") as target:
            shutil.copyfileobj(content, target)
        unpacked.with_suffix(".part").replace(unpacked)
        partial.unlink()
    else:
        partial.replace(folder / archive.name)


def _problem(path: Path, digest: str | None) -> str:
    """Say what is wrong with a file; "" when nothing is."""
    if not path.is_file():
        return f"is missing (expected {DIGESTS[len(digest)]} {digest})" if digest else "is missing"
    if digest is None:
        return ""
    kind = DIGESTS[len(digest)]
    with path.open("rb") as file:
        found = hashlib.file_digest(file, kind).hexdigest()
    if found == digest:
        return ""
    return f"is truncated or corrupt: its {path.stat().st_size} bytes have {kind} {found}, expected {digest}"
