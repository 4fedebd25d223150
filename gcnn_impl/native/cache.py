"""A private folder for compiled code: only files that this user wrote, whole, are loaded from it.

Loading a library runs its code, so a file is loaded only if the folder and the file belong to this user, nobody else
may write to them, and the file ends with the SHA-256 digest of what precedes it (a file that was cut short does not).
"""

import contextlib
import ctypes
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

DIGEST_BYTES = hashlib.sha256().digest_size
# Folders of compilations that were killed are removed after this time.
STALE_SECONDS = 3600
# The prefix of folders in which a compilation works.
_WORK = ".work-"


class NotPrivate(OSError):  # noqa: N818
    """A file or folder that is not this user's own; the message names it, and says whose it is or who may write it."""


def folders() -> Iterator[Path]:
    """Yield the folders that can hold compiled code, the best first; none of them need exist.

    They are ``$XDG_CACHE_HOME/gcnn_impl``, or ``~/.cache/gcnn_impl`` where that variable is not an absolute path; and a
    folder of this user's in the temporary directory, for users without a home or with a home that forbids execution.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    with contextlib.suppress(RuntimeError):  # there is no HOME, and the system does not know this user
        yield (named if named.is_absolute() else Path.home() / ".cache") / "gcnn_impl"
    with contextlib.suppress(OSError):  # no temporary directory can be written
        yield Path(tempfile.gettempdir()) / f"gcnn_impl-{os.geteuid()}"


def make_private(folder: Path) -> None:
    """Create the folder, or check that it is this user's, and let nobody else into it.

    Raises:
        OSError: where that is impossible; ``NotPrivate`` where the folder is somebody else's or a symbolic link.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotPrivate(f"{folder} is no folder")
    _check_owner(folder, found)
    if stat.S_IMODE(found.st_mode) != 0o700:
        folder.chmod(0o700)


def load(path: Path) -> ctypes.CDLL | None:
    """Load the library that ``store`` wrote in a private folder; None where there is none, or where it is damaged.

    Raises:
        NotPrivate: where the folder or the file is not this user's own.
        OSError: where the system refuses to read or to load the file.
    """
    with _opened(path.parent) as folder:
        if _content(folder, path) is None:
            return None
        return ctypes.CDLL(f"/proc/self/fd/{folder}/{path.name}")  # in the folder that was checked, wherever it is now


def read(path: Path) -> bytes | None:
    """Return what ``store`` wrote; None and errors as of ``load``."""
    with _opened(path.parent) as folder:
        return _content(folder, path)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Yield a descriptor of a private folder."""
    found = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _check_private(folder, os.fstat(found))
        yield found
    finally:
        os.close(found)


def _content(folder: int, path: Path) -> bytes | None:
    """Return the content of this user's own file in an opened folder, without its digest; None if it is not whole."""
    try:
        file = os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(file, "rb") as reader:
        _check_private(path, os.fstat(file))
        content = reader.read()
    content, found = content[:-DIGEST_BYTES], content[-DIGEST_BYTES:]
    return content if hashlib.sha256(content).digest() == found else None


def store(path: Path, content: bytes) -> None:
    """Write a library, or other content, with its digest, so that no process ever sees an incomplete file."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=_WORK, delete=False) as file:
        try:
            file.write(content + hashlib.sha256(content).digest())
            file.flush()
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def work_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder within a private one, removed at the end, and remove those that killed processes left."""
    for old in folder.glob(f"{_WORK}*"):
        with contextlib.suppress(OSError):
            if time.time() - old.lstat().st_mtime > STALE_SECONDS:
                shutil.rmtree(old) if old.is_dir() else old.unlink()
    with tempfile.TemporaryDirectory(dir=folder, prefix=_WORK) as name:
        yield Path(name)


def remembered(path: Path, seconds: float) -> str | None:
    """Return the text of a note that is younger than ``seconds``; None where there is none."""
    try:
        found = path.lstat()
        _check_owner(path, found)
        return path.read_text(errors="replace") if time.time() - found.st_mtime < seconds else None
    except OSError:
        return None


def _check_owner(path: Path, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise NotPrivate(f"{path} belongs to user {found.st_uid}, not to this process's user {os.geteuid()}")


def _check_private(path: Path, found: os.stat_result) -> None:
    _check_owner(path, found)
    if found.st_mode & 0o022:
        raise NotPrivate(f"{path} may be written by others: mode {stat.S_IMODE(found.st_mode):o}")
