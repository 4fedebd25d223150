"""Tests of downloads: a server that is slow, stops or sends too little gives one line, and no file stays."""

import contextlib
import gc
import gzip
import hashlib
import io
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.datasets import DataError, files
from benchmarks.datasets.files import Archive, fetch

Answer = Callable[[socket.socket], None]
HEAD = b"HTTP/1.1 200 OK\r\n"


@contextlib.contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Yield the address of a server that gives one answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/set.h5"
        thread.join(10)


def stall_at_once(connection: socket.socket) -> None:
    time.sleep(1)


def stall_half_way(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * 50)
    time.sleep(1)


def trickle(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n")
    for _ in range(20):
        connection.sendall(b"x")
        time.sleep(0.05)


def end_early(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * 50)


def end_early_in_a_chunk(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\n" + b"x" * 50)


def close_at_once(connection: socket.socket) -> None:
    pass


def say_nonsense(connection: socket.socket) -> None:
    connection.sendall(b"nonsense\r\n\r\n")


def refuse(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")


# urllib itself closes the sockets of some of these answers only when its garbage is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (stall_at_once, "timed out"),
        (stall_half_way, "timed out"),
        (trickle, r"only \d+ bytes came in 0\.3 s"),
        (end_early, r"it ended after 50 of 100 bytes"),
        (end_early_in_a_chunk, r"IncompleteRead\(\d+ bytes read.*\)"),
        (close_at_once, "Remote end closed connection without response"),
        (say_nonsense, "nonsense"),
        (refuse, "HTTP Error 503: Busy"),
    ],
)
def test_a_download_that_stalls_or_breaks_off_is_one_line_and_leaves_nothing(
    answer: Answer, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "STALL_SECONDS", 0.3)
    with (
        server(answer) as url,
        pytest.raises(DataError, match=rf"^{url} cannot be fetched: .*{reason}.*; try again later$") as caught,
    ):
        fetch(tmp_path, Archive(url, "0" * 32))
    assert "\n" not in str(caught.value)
    del caught
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_an_address_that_nobody_can_fetch_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^nowhere://x/set\.h5 cannot be fetched: .*unknown url type"):
        fetch(tmp_path, Archive("nowhere://x/set.h5", "0" * 32))


def archived(folder: Path, name: str, content: bytes) -> Archive:
    (folder / name).write_bytes(content)
    return Archive((folder / name).as_uri(), hashlib.md5(content).hexdigest())


def tar_of(content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        info = tarfile.TarInfo("inside")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()


@pytest.mark.parametrize("name", ["x.tar.gz", "x.h5.gz"])
@pytest.mark.parametrize("damage", ["text", "cut"])
def test_an_archive_that_cannot_be_unpacked_is_one_line_and_leaves_nothing(
    name: str, damage: str, tmp_path: Path
) -> None:
    whole = tar_of(bytes(range(256)) * 40) if name.endswith(".tar.gz") else gzip.compress(bytes(range(256)) * 40)
    archive = archived(tmp_path, name, b"no archive" if damage == "text" else whole[: len(whole) // 2])
    with pytest.raises(DataError, match=rf"{name} cannot be unpacked: "):
        fetch(tmp_path / "data", archive)
    assert [path.name for path in (tmp_path / "data").iterdir() if path.suffix == ".part"] == []


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    archive = archived(tmp_path, "x.h5", b"1")
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(DataError, match=rf"^cannot write x\.h5 into {tmp_path}/data: "):
        fetch(tmp_path / "data", archive)
