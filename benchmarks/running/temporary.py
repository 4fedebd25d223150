"""One folder for all temporary files of a command and of its processes. It goes with the command, also after a kill -9.

Python's process servers put sockets into the temporary directory, whose paths must be short, and leave them when they
are killed; so do compilers and workplaces.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from multiprocessing.util import Finalize
from pathlib import Path

PREFIX = "gcnn-"
# The longest path of a socket, on macOS (on Linux 107 bytes), and the longest name that Python gives one of its sockets
# below the temporary directory.
LONGEST_SOCKET = 103
SOCKET_NAME = "/pymp-xxxxxxxx/listener-xxxxxxxx"
LONGEST_FOLDER = LONGEST_SOCKET - len(SOCKET_NAME)
# Where the temporary directory itself has too long a path.
SHORT_PLACES = ("/tmp", "/var/tmp", "/dev/shm")
# Waits until this process ends. If it ended without a word, it was killed: its own processes, which end soon after,
# might still write, so the folder is removed several times.
WATCHER = 'read -r word || for pause in 0 1 2 4; do sleep $pause; rm -rf -- "$0"; done'


# Python removes its own folder for sockets at the priority -100, and complains if that folder is gone.
AFTER_PYTHON = -200


def use_own_temporary_folder() -> None:
    """Make a new folder the temporary directory of this process and of those that it starts, until this process ends.

    The folder is removed at the end. If this process is killed, a shell that waits for this removes the folder. Where
    no folder can be made, nothing changes.
    """
    folder = _new_folder(_places(os.environ.get("TMPDIR")))
    if folder is not None:
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        Finalize(None, _remove, (folder, _watch(folder)), exitpriority=AFTER_PYTHON)


def _remove(folder: Path, watcher: "subprocess.Popen[bytes] | None") -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if watcher is not None:
        with contextlib.suppress(OSError):
            watcher.communicate(b"removed\n")


def _places(given: str | None) -> list[Path]:
    """Return the folders in which a folder may be made, the best first."""
    # A program that this command has replaced (by ``exec``) may leave its removed folder in TMPDIR.
    left = given is not None and Path(given).name.startswith(PREFIX) and not Path(given).exists()
    best = Path(given).parent if given is not None and left else Path(tempfile.gettempdir())
    return [best, *map(Path, SHORT_PLACES)]


def _new_folder(places: Iterable[Path]) -> Path | None:
    """Make a folder in the first place that is writable and where the paths of sockets are short enough."""
    for place in places:
        if len(os.fsencode(place / f"{PREFIX}xxxxxxxx")) <= LONGEST_FOLDER:
            with contextlib.suppress(OSError):
                return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    return None


def _watch(folder: Path) -> "subprocess.Popen[bytes] | None":
    with contextlib.suppress(OSError):  # there is no shell, as in some containers
        return subprocess.Popen(
            ["/bin/sh", "-c", WATCHER, str(folder)],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,  # what is sent to the command's group of processes must not reach the shell
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    return None
