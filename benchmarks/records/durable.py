"""Files that are written whole or not at all, also when the process is killed or the machine loses its power."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

# The answers of file systems that cannot sync a folder.
NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file's content, and return when it is on the disk; until then the old content stays.

    A process that is killed while it writes may leave the file that ``partial_files`` finds.

    Raises:
        OSError: when the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    sync_folder(path.parent)


@contextlib.contextmanager
def said_with_path(path: Path, allowed: str = "a file in a directory you may write to") -> Iterator[None]:
    """Turn an error of the system into one whose message names the path, the reason and what is allowed."""
    try:
        yield
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror}; allowed: {allowed}") from error


def check_writable(path: Path) -> None:
    """Check that a file can be written, before the work whose result it will hold. Nothing is left behind.

    Raises:
        OSError: when the file cannot be written.
    """
    with said_with_path(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        _try_to_write(path.parent)


def check_folder(folder: Path) -> None:
    """Check that files can be written into a folder, which need not exist yet; see ``check_writable``."""
    with said_with_path(folder, "a directory you may write to"):
        _try_to_write(folder)


def _try_to_write(folder: Path) -> None:
    """Write an empty file into a folder, and remove the file and all folders that this has made."""
    new = [each for each in (folder, *folder.parents) if not each.exists()]  # the innermost first
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".part"):
            pass
    finally:
        for each in new:
            with contextlib.suppress(OSError):
                each.rmdir()


def partial_files(path: Path) -> list[Path]:
    """Return the remains of processes that were killed while they wrote the file."""
    return [found for found in path.parent.glob(f".{path.name}.*.part") if found.is_file()]


def sync_folder(folder: Path) -> None:
    """Wait until the names of the files in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise
    finally:
        os.close(descriptor)
