"""The studies in short, in Markdown: the accuracies of all networks at equal costs, and the verdicts."""

from collections.abc import Mapping, Sequence

from benchmarks.answers.text_tables import markdown_table
from benchmarks.statistics.over_seeds import estimate
from benchmarks.studies.claims import verdicts
from benchmarks.studies.contenders import Contender
from benchmarks.studies.parts import over_angles
from benchmarks.studies.results import StudyResults, percent_interval

BUDGETS = {
    "parameters": "equal parameters",
    "macs": "equal MACs",
    "memory": "equal memory in training",
    "time": "equal seconds of training",
    "maps": "equal C · |H|",
}


def lines_in_short(studies: Mapping[str, Sequence[StudyResults]], pages: str) -> list[str]:
    """Return a paragraph, a table and the verdicts of each study.

    Args:
        studies: the parts of each study, by its name.
        pages: the folder of the pages with all tables, as a link writes it.
    """
    lines = [""]
    for name, parts in studies.items():
        lines += [f"{_setting(name, parts)} All tables: [{name}.md]({pages}/{name}.md).", ""]
        lines += [*markdown_table(_rows(parts)), ""]
        if found := _verdicts(parts):
            lines += ["The study's word on each claim:", "", *(f"- {text}" for text in found), ""]
    return lines


def _setting(name: str, parts: Sequence[StudyResults]) -> str:
    """Say on what the networks of a study were trained and timed."""
    decisions = parts[0].decisions
    study, provenance = decisions.study, decisions.provenance
    trained = " / ".join(dict.fromkeys(f"{part.decisions.images['train']:,}" for part in parts))
    seeds = " / ".join(dict.fromkeys(str(part.decisions.seeds) for part in parts))
    where = f"{provenance.get('device_name')}, torch {provenance.get('torch')}"
    return (
        f"**{name}**: {study.image_size} × {study.image_size} pixels, {trained} train and {decisions.images['test']:,} "
        f"test images, {study.epochs} epochs of {decisions.steps_per_epoch} steps of {study.batch_size} images, "
        f"n = {seeds} seeds; test accuracy in %, mean [95 %]. A step was timed alone, on {study.threads} thread; "
        f"{where}, commit {str(provenance.get('commit'))[:10]}."
    )


def _rows(parts: Sequence[StudyResults]) -> list[tuple[str, ...]]:
    """Return the table of a study: a row for each network, and columns for each part and budget."""
    study = parts[0].decisions.study
    heading, columns = ["network"], []
    for part in parts:
        for matched in study.matches:
            heading.append(", ".join(filter(None, (BUDGETS[matched], part_name(part, parts)))))
            columns.append([percent_interval(part.accuracy(matched, each)) for each in study.contenders])
            turned = {each: over_angles(part, matched, each) for each in study.contenders}
            if any(turned.values()):
                heading.append(f"{heading[-1]}: mean over all angles of the test images")
                columns.append(
                    [percent_interval(estimate(turned[each], step=part.test_step)) for each in study.contenders]
                )
            if len(parts) == 1:
                heading.append("a step")
                columns.append([_step(part, matched, each) for each in study.contenders])
    rows = zip((contender.label for contender in study.contenders), *columns, strict=True)
    return [tuple(heading), *rows]


def _step(part: StudyResults, matched: str, contender: Contender) -> str:
    return f"{1e3 * part.decisions.step(matched, contender)['median']:.3g} ms"


def part_name(part: StudyResults, parts: Sequence[StudyResults]) -> str:
    """Name what distinguishes a part of a study; nothing where there is one part."""
    if len(parts) == 1:
        return ""
    if len({each.decisions.study.dataset for each in parts}) > 1:
        return part.decisions.study.dataset
    return f"{part.decisions.images['train']:,} images"


def _verdicts(parts: Sequence[StudyResults]) -> list[str]:
    """Return a line for each claim: the word of the study, or the words of its parts."""
    words: dict[str, dict[str, list[str]]] = {}
    for part in parts:
        for verdict in verdicts(part):
            words.setdefault(verdict.claim, {}).setdefault(verdict.word, []).append(part_name(part, parts))
    return [f"{claim}: {'; '.join(map(_said, found.items()))}" for claim, found in words.items()]


def _said(found: tuple[str, Sequence[str]]) -> str:
    """Write a verdict's word and the parts of the study that it is about."""
    word, where = found
    parts = ", ".join(filter(None, where))
    return f"**{word}** ({parts})" if parts else f"**{word}**"
