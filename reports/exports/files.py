"""Write files whole or not at all, so that no reader sees half a page."""

from pathlib import Path

from benchmarks.records.durable import write_whole


def write(path: Path, content: str | bytes) -> None:
    """Write a whole file, or leave the old one as it was. Text is encoded as UTF-8.

    Raises:
        OSError: when the file cannot be written.
    """
    try:
        write_whole(path, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        reason = f"cannot write {path}: {error.strerror}; allowed: a file in a directory you may write to"
        raise OSError(reason) from error
