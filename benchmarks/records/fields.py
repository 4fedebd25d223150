"""Every field of a record, declared once: ``cost_fields`` and ``training_fields``.

The empty record, the check of a record that is read, the columns of the report's frames and tables, and docs/records.md
are derived from the declarations. A new field is a line there, and the instrument that measures it.
"""

from collections.abc import Mapping
from typing import Any

from benchmarks.records.cost_fields import COST, TWIN
from benchmarks.records.field import shape_of
from benchmarks.records.kinds import (
    OTHERS,
    problem,
)
from benchmarks.records.training_fields import EPOCH, TRAINING

# By the kind of a record.
FIELDS = {"cost": COST, "twin": TWIN, "training": TRAINING}
SHAPES = {kind: shape_of(fields) for kind, fields in FIELDS.items()}


def record_problem(record: Mapping[str, Any]) -> str | None:
    """Return the first field of a record that is not of its kind, and what is allowed; None for a good record."""
    return problem(record, SHAPES[record["kind"]])


def documentation() -> str:
    """Return the table of all fields, the text of docs/records.md."""
    lines = [HEADER]
    for title, fields in {**TITLES, "An entry of `epochs`": EPOCH}.items():
        lines += [f"\n## {title}\n", "| field | values | unit | what |", "| --- | --- | --- | --- |"]
        for field in fields:
            name = field.path.replace(OTHERS, "any other")
            lines.append(f"| `{name}` | {field.kind.allowed} | {field.unit} | {field.text} |")
    return "\n".join(lines) + "\n"


HEADER = """# Fields of a record

A record is a line of strict JSON. A field that is absent or null was not measured.
`python -m benchmarks.records.fields` prints this page from the declarations in
`benchmarks/records/cost_fields.py` and `training_fields.py`; a test compares the two."""
TITLES = {"Cost records": COST, "Twins": TWIN, "Training records": TRAINING}

if __name__ == "__main__":
    print(documentation(), end="")
