"""Records → one self-contained HTML file: styles, script, figures and data are all inside of it."""

import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from benchmarks.records.record import Record
from benchmarks.terminal.program import PYTHON, Program
from reports import style
from reports.figures.history import trend
from reports.figures.plots import plots_json
from reports.frames.columns import COST_COLUMNS, RUN_COLUMNS
from reports.frames.frames import anchored, frames, newest
from reports.frames.history import history
from reports.page.downloads import downloads, figure_file
from reports.page.html import TEMPLATES, embedded, environment, policy_hash, style_sheet
from reports.page.links import OF_PAGE, OF_PART
from reports.page.part import parts
from reports.tables import of_trust
from reports.tables.records import record_table
from reports.words import numbers, of_history, overview
from reports.words.glossary import GLOSSARY


def render(records: Iterable[Record], commits: pd.DataFrame | None = None, program: Program = PYTHON) -> str:
    """Return the page of these records.

    Args:
        program: the program whose commands the page names.
        commits: the history of asv and pytest-benchmark, as `frames.history.history` returns it.

    Raises:
        ValueError: when no record can be reported on.
    """
    given = list(records)
    commits = history() if commits is None else commits
    kept = newest(given)
    data = anchored(frames(kept))
    if not data.machines:
        raise ValueError("no record to report on")
    templates = environment()
    templates.filters |= {
        "typed": program.as_typed,
        "csv": figure_file,
        "plots": lambda figure: embedded(plots_json(figure.plots)),
    }
    shown = parts(given, data)
    head = overview.overview(data, [sentence.text for sentence in shown[0].sentences])
    linked = set().union(*(part.anchors for part in shown))
    script, css = scripts(), style_sheet()
    libraries = {"tables": tables_library(), **charts_library()}
    files, left_out = downloads(kept, data)
    tables = [record_table(data.costs, COST_COLUMNS, "costs", "Every cost record", linked)]
    tables += [record_table(data.runs, RUN_COLUMNS, "runs", "Every training run", linked)]
    return templates.get_template("report.html").render(
        parts=shown,
        environments=of_trust.environments([data.costs, data.runs]),
        of_part=OF_PART,
        of_page=OF_PAGE,
        remarks=head.remarks,
        noisiest=max(shown, key=lambda part: part.noisy).id,
        subject=overview.subject(data),
        period=head.measured,
        opening=overview.OPENING,
        machines=head.machines,
        counts=head.counts,
        rounds=numbers.span(data.costs["rounds"]) if data.costs["rounds"].notna().any() else "",
        single=int((data.costs["rounds"] == 1).sum()),
        overview=head.json(),
        records_tables=[table for table in tables if table.number],
        history=trend(commits, "history"),
        steps=of_history.steps(commits),
        regressions=of_trust.regressions(commits),
        downloads=files,
        glossary=GLOSSARY,
        citation=overview.citation(data, head),
        bibtex=overview.bibtex(data, head),
        measure_yours=overview.MEASURE_YOURS,
        left_out=left_out,
        look=style.look,
        theme=style.THEME,
        css=Markup(css),
        css_hash=policy_hash(css),
        script=Markup(script),
        script_hashes=[policy_hash(text) for text in (script, *libraries.values())],
        libraries=libraries,
    )


# The page's own scripts, in the order in which they run.
SCRIPTS = ("state", "parts", "tips", "saving", "copying", "archive", "advisor", "charts", "records", "links", "samples")


def scripts() -> str:
    """Return the page's own scripts as one module."""
    texts = [(TEMPLATES / "scripts" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return "\n".join([*texts, 'document.documentElement.dataset.ready = "yes";', ""])


def charts_library() -> dict[str, str]:
    """Return Vega-Lite with its embedding (BSD), a script that defines `vegaEmbed`; nothing where it is not installed.

    The page needs it for the charts that readers open, and is complete without them.
    """
    if find_spec("vl_convert") is None:
        return {}
    import vl_convert

    everything: Any = None  # instead of a snippet that names what the bundle must have
    return {"charts": vl_convert.javascript_bundle(everything)}


def tables_library() -> str:
    """Return the library DataTables of `itables` (MIT, licence included), as a script that defines `DataTable`."""
    package = find_spec("itables")
    if package is None or not package.submodule_search_locations:
        raise ValueError(
            "itables is not installed; get it with the report's dependencies, `pip install --group report`"
        )
    source = (Path(package.submodule_search_locations[0]) / "html" / "dt_bundle.js").read_text(encoding="utf-8")
    exports = re.search(r"export\{([^}]*)\};?", source)
    name = exports and re.search(r"(\S+) as jQuery", exports[1].replace(",", " "))
    if exports is None or not name:
        raise ValueError("the tables of this itables cannot be put into a page; allowed: itables 2.9 and its like")
    defined = f"{source[: exports.start()]}window.DataTable = {name[1]}.fn.dataTable;{source[exports.end() :]}"
    return f"(() => {{{defined}\n}})();"
