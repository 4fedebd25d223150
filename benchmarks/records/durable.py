"""Files that are written whole or not at all, also when the process is killed or the machine loses its power."""

import contextlib
import errno
import os
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
