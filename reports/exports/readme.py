"""`python -m reports readme`: the table, the sentences and the figures of the README, from the reference records.

The lines stand between two comments of the README; everything else in the README is written by people.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.answers.text_tables import markdown
from benchmarks.records.record import Record
from reports.arithmetic.prepared import Prepared
from reports.exports.export import legend_files
from reports.exports.summary import table_lines
from reports.figures.compared_with_plain import compared_with_plain
from reports.figures.svg import copies
from reports.frames.frames import Frames, anchored, frames, newest
from reports.tables.of_layers import headline
from reports.words import headline as sentences
from reports.words.of_trust import noise
from reports.words.overview import overview

COMMAND = "python -m reports readme"
# The figure's key, which its files are named by.
FIGURE = "relative"


@dataclass(frozen=True)
class Answer:
    """The lines between the comments, and the figures: SVG files by their names."""

    lines: list[str]
    figures: dict[str, str]


def answer(records: Iterable[Record]) -> Answer:
    """Return the table of the first screen with what it was measured on, the saving, the gain, the noise and figures.

    Raises:
        ValueError: when the records are of several machines, or of none.
    """
    data = anchored(frames(newest(records)))
    if len(data.machines) != 1:
        raise ValueError(f"records of {len(data.machines)} machines; allowed: those of one")
    results = Prepared(data)
    with copies() as drawn:
        figure = compared_with_plain(results, FIGURE)
    said = [sentences.saving(results.costs, data.twins), sentences.gain(results.runs, results.best_networks)]
    texts = [f"{_measured(data)} {figure.caption}", *(sentence.text for sentence in said if sentence)]
    texts.append(f"Noise: {noise(data.costs, data.twins)}")
    lines = ["", *table_lines(headline(results)), "", *(line for text in texts for line in (_paragraph(text), ""))]
    svgs = {f"{copy.key}.svg": copy.svg for copy in drawn}
    svgs["legend.svg"] = legend_files(list(figure.legend), figure.looks)["svg"].decode()
    return Answer(lines, {name: _on_white(svg) for name, svg in svgs.items()})


def _paragraph(text: str) -> str:
    """Escape a text as ``markdown`` does, but for the bars of |H|, which mean something in tables alone."""
    return markdown(text).replace(markdown("|"), "|")


def _measured(data: Frames) -> str:
    known = overview(data, [])
    torch = ", ".join(sorted({*data.costs["torch"], *data.runs["torch"]}))
    return f"Measured {known.measured} on {known.about}, with torch {torch}, commit {', '.join(known.commits)}."


def _on_white(svg: str) -> str:
    """Return a drawing on white paper, because GitHub shows it on a dark page to readers who chose one."""
    drawn = re.sub(r"(<svg [^>]*>)", r'\1\n <rect width="100%" height="100%" fill="#ffffff"/>', svg, count=1)
    return "".join(f"{line.rstrip()}\n" for line in drawn.splitlines())
