"""Files of published data sets are checked against their checksums, and fetched; error messages are one line."""

import contextlib
import gzip
import hashlib
import http.client
import shutil
import tarfile
import time
import urllib.request
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

DIGESTS = {32: "md5", 64: "sha256"}  # by their number of hexadecimal digits
# A download is given up after so many seconds without an answer, and after so many with fewer than LEAST_BYTES.
STALL_SECONDS = 60.0
LEAST_BYTES = 60_000
CHUNK = 2**16


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
    """Download an archive and unpack it; a file gets its final name only when it is complete.

    Raises:
        DataError: when the archive cannot be fetched, differs from the published one, or cannot be unpacked or written.
    """
    folder = root / archive.folder
    partial = folder / f"{archive.name}.part"
    unpacked = folder / f"{archive.name.removesuffix('.gz')}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as target:
            for content in _content(archive.url):
                target.write(content)
        if problem := _problem(partial, archive.digest):
            raise DataError(f"{archive.url} {problem}; try again later or ask its publisher")
        if archive.name.endswith(".tar.gz"):
            with tarfile.open(partial) as tar:
                tar.extractall(folder, filter="data")
        elif archive.name.endswith(".h5.gz"):
            with gzip.open(partial) as compressed, unpacked.open("wb") as target:
                shutil.copyfileobj(compressed, target)
            unpacked.replace(unpacked.with_suffix(""))
        else:
            partial.replace(folder / archive.name)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"{archive.url} cannot be unpacked: {error}") from error
    except OSError as error:
        raise DataError(f"cannot write {archive.name} into {folder}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
            unpacked.unlink(missing_ok=True)


def _content(url: str) -> Iterator[bytes]:
    """Yield the content of an address (also file:, for the tests); raise ``DataError`` if it stalls or breaks off."""
    try:
        with urllib.request.urlopen(url, timeout=STALL_SECONDS) as response:
            announced, got = response.headers.get("Content-Length"), 0
            begun, before = time.monotonic(), 0
            while content := response.read1(CHUNK):
                yield content
                got += len(content)
                if time.monotonic() - begun > STALL_SECONDS:
                    if got - before < LEAST_BYTES:
                        raise TimeoutError(f"only {got - before} bytes came in {STALL_SECONDS:g} s")
                    begun, before = time.monotonic(), got
            if announced is not None and announced.isdecimal() and got < int(announced):
                raise EOFError(f"it ended after {got} of {announced} bytes")
    except (OSError, http.client.HTTPException, EOFError, ValueError) as error:  # OSError includes urllib's errors
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{url} cannot be fetched: {reason}; try again later") from error


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
