"""All declared fields of records, by the kind of the record, and their documentation.

The empty record, the check of a record that is read, the columns of the report's frames and tables, and docs/records.md
are derived from the declarations. To add a field, declare it in one of these modules, and measure it.
"""

from collections.abc import Mapping
from typing import Any

from benchmarks.records.cost_fields import COST, OPERATOR, TWIN
from benchmarks.records.field import shape_of
from benchmarks.records.kinds import OTHERS, problem, undeclared
from benchmarks.records.training_fields import EPOCH, TRAINING

FIELDS = {"cost": COST, "twin": TWIN, "training": TRAINING}
SHAPES = {kind: shape_of(fields) for kind, fields in FIELDS.items()}
# The fields of every record, beside ``id`` and ``status``; HEADER describes them.
ALWAYS = ("schema", "kind")
TITLES = {
    "Cost records": COST,
    "An object in `operators.rows`": OPERATOR,
    "Twins": TWIN,
    "Training records": TRAINING,
    "An object in `epochs`": EPOCH,
}
HEADER = """# Fields of a record

A record is a line of strict JSON in `records.jsonl`. A cost record holds the measurements of one case, a twin holds
the second times of a case that was timed twice in its block (the difference is noise), and a training record holds one
training run.

Every record has the fields `schema` (2; records of schema 1 can be read), `kind` (cost, twin or training), `id` and
`status`. A field that is absent or null was not measured. Names with a dot are fields of an object within the record.
Other fields may occur; they are neither checked nor shown.

`python -m benchmarks.records.fields` prints this page from the declarations in `benchmarks/records/cost_fields.py` and
`training_fields.py`; a test compares the two."""


def record_problem(record: Mapping[str, Any]) -> str | None:
    """Return the first field of a record that is not of its kind, and what is allowed; None for a good record."""
    return problem(record, SHAPES[record["kind"]])


def undeclared_fields(record: Mapping[str, Any]) -> list[str]:
    """Return the names of a record's fields that no declaration has, as docs/records.md would show them."""
    return [name for name in undeclared(record, SHAPES[record["kind"]]) if name not in ALWAYS]


def documentation() -> str:
    """Return the tables of all fields, the text of docs/records.md."""
    lines = [HEADER]
    for title, fields in TITLES.items():
        lines += [f"\n## {title}\n", "| field | values | unit | meaning |", "| --- | --- | --- | --- |"]
        for field in fields:
            name, meaning = field.path.replace(OTHERS, "any other"), field.text.replace("|", r"\|")
            lines.append(f"| `{name}` | {field.kind.allowed} | {field.unit} | {meaning} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(documentation(), end="")
