"""The files inside of the page: every record, the frames, and the data of each figure."""

import base64
import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.records.record import Record
from reports.exports.tidy import csv, figure_csv, named
from reports.figures.draw import Figure
from reports.frames.frames import Frames

# Files of more bytes (compressed) are left out of the page, because the reader has the records on disk.
LARGEST_DOWNLOAD = 3_000_000
# Data of a figure is compressed if it has more bytes.
LARGEST_PLAIN = 10_000


@dataclass(frozen=True)
class Download:
    """A file inside of the page. `uri` is in base64, so that no record can end the HTML attribute around it."""

    name: str
    what: str
    uri: str


def downloads(records: list[Record], data: Frames) -> tuple[list[Download], list[str]]:
    """Return the files inside of the page, and the names of those that are too large for it."""
    files: list[tuple[str, str, Iterable[str]]] = [
        # ASCII, because a text may hold a lone surrogate, which UTF-8 cannot encode.
        ("records.jsonl", "every record with its raw samples, a line each", (f"{json.dumps(r)}\n" for r in records))
    ]
    files += [(f"{name}.csv", what, [csv(frame)]) for name, what, frame in named(data) if len(frame)]
    found, left_out = [], []
    for name, what, parts in files:
        content = _compressed(parts, LARGEST_DOWNLOAD)
        if content is None:
            left_out.append(name)
        else:
            found.append(Download(f"{name}.gz", what, _uri("application/gzip", content)))
    return found, left_out


def _compressed(parts: Iterable[str], most: int) -> bytes | None:
    """Return the parts as a gzip file; None if it has more than `most` bytes."""
    packer = zlib.compressobj(level=9, wbits=16 + zlib.MAX_WBITS)
    content = b""
    for part in parts:
        content += packer.compress(part.encode())
        if len(content) > most:
            return None
    content += packer.flush()
    return content if len(content) <= most else None


def figure_file(figure: Figure) -> Download:
    """Return the file of a figure's data, compressed if it is large."""
    content = figure_csv(figure).encode()
    if len(content) <= LARGEST_PLAIN:
        return Download(f"{figure.key}.csv", "data (CSV)", _uri("text/csv", content))
    return Download(
        f"{figure.key}.csv.gz", "data (CSV, gzip)", _uri("application/gzip", gzip.compress(content, mtime=0))
    )


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
