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
# Waits until this process ends, and kills those of its processes that live on because their supervisor was killed. They
# are known by the folder in their environment (on Linux). If this process ended without a word, it was killed itself:
# its supervisors then have seconds to end all below them, also what has another environment, before they are killed.
# A process that has just been forked has the old environment until it executes its program: hence the first second, and
# the second look at the end.
WATCHER = """
running() { grep -lsF "TMPDIR=$0" /proc/[0-9]*/environ; }
end_all() {
    for file in $(running); do
        number=${file#/proc/}
        kill -9 "${number%/environ}"
    done
    rm -rf -- "$0"
}
if read -r word; then end_all; exit; fi
for second in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1
    if [ -z "$(running)" ]; then break; fi
done
end_all
sleep 2
end_all
"""


# Python removes its own folder for sockets at the priority -100, and complains if that folder is gone.
AFTER_PYTHON = -200


def use_own_temporary_folder() -> None:
    """Make a new folder the temporary directory of this process and of those that it starts, until this process ends.

    The folder is removed at the end. A shell that waits for the end kills the processes that live on, and removes the
    folder also if this process is killed. Where no folder can be made, nothing changes.
    """
    folder = _new_folder([Path(tempfile.gettempdir()), *map(Path, SHORT_PLACES)])
    if folder is not None:
        watcher = _watch(folder)  # before the folder is in the environment, by which the shell would end itself
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        Finalize(None, _remove, (folder, watcher), exitpriority=AFTER_PYTHON)


def _remove(folder: Path, watcher: "subprocess.Popen[bytes] | None") -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if watcher is not None:
        with contextlib.suppress(OSError):
            watcher.communicate(b"removed\n")


def environment_of_a_replacement() -> dict[str, str]:
    """Return the environment for ``exec``, after which the folder of this process is removed: without this folder."""
    own = Path(os.environ.get("TMPDIR", ""))
    return {**os.environ, "TMPDIR": str(own.parent)} if own.name.startswith(PREFIX) else dict(os.environ)


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
