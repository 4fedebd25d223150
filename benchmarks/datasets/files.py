"""Files of published data sets: there and whole, fetched, or one line that says what is wrong and how to get them."""

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
    """Data that cannot be used, in one line."""


@dataclass(frozen=True)
class Archive:
    """What a publisher offers for download.

    Args:
        url: of a file that is kept as it is, of a ``.tar.gz`` to unpack or of a ``.h5.gz`` to decompress.
        digest: MD5 or SHA-256 of the download, hexadecimal.
        folder: under the data root, where it or its contents go.
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
        path: under the data root.
        digest: MD5 or SHA-256 of its content, hexadecimal; None where nobody published one.
        archive: where it comes from.
    """

    path: str
    digest: str | None
    archive: Archive


def require(root: Path, files: Sequence[DataFile], *, download: bool = False) -> list[Path]:
    """The paths of files that are there and have their checksums.

    Args:
        download: fetch the archives of those that are not.

    Raises:
        DataError: naming the first file that is missing or wrong.
    """
    for file in files:
        wrong = _what_is_wrong(root / file.path, file.digest)
        if wrong and download:
            fetch(root, file.archive)
            wrong = _what_is_wrong(root / file.path, file.digest)
        if wrong:
            raise DataError(f"{root / file.path} {wrong}; {how_to_get(file.archive)}")
    return [root / file.path for file in files]


def how_to_get(archive: Archive) -> str:
    """The end of a message about a file."""
    where = f"get it with --download (download=True), or fetch {archive.url}"
    if not archive.name.endswith((".tar.gz", ".h5.gz")):
        return where
    return f"{where} ({DIGESTS[len(archive.digest)]} {archive.digest}) and unpack it"


def fetch(root: Path, archive: Archive) -> None:
    """Download an archive and unpack it; what stands under its final name is whole.

    Raises:
        DataError: when it cannot be fetched or is not what was published.
        OSError: when there is no room or no permission to write.
    """
    folder = root / archive.folder
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{archive.name}.part"
    try:
        # file: addresses serve the tests.
        with urllib.request.urlopen(archive.url) as response, partial.open("wb") as target:
            shutil.copyfileobj(response, target)
    except OSError as error:  # urllib's errors are among them
        partial.unlink(missing_ok=True)
        raise DataError(f"{archive.url} cannot be fetched: {error}") from error
    if wrong := _what_is_wrong(partial, archive.digest):
        partial.unlink()
        raise DataError(f"{archive.url} {wrong}; try again later or ask its publisher")
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


def _what_is_wrong(path: Path, digest: str | None) -> str:
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
