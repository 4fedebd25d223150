"""Write files whole or not at all, so that no reader sees half a page."""

from pathlib import Path

from benchmarks.records.durable import said_with_path, write_whole


def write(path: Path, content: str | bytes) -> None:
    """Write a whole file, or leave the old one as it was. Text is encoded as UTF-8.

    Raises:
        OSError: when the file cannot be written.
    """
    with said_with_path(path):
        write_whole(path, content.encode() if isinstance(content, str) else content)
