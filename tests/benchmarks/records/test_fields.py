"""The declared fields of records: their documentation, their names, and empty records."""

from collections.abc import Sequence

import pytest

from benchmarks.records.cost_fields import COST, COST_MEASURED, TWIN
from benchmarks.records.field import Field, empty
from benchmarks.records.fields import documentation, record_problem
from benchmarks.records.provenance import ROOT
from benchmarks.records.training_fields import EPOCH, TRAINING, TRAINING_MEASURED

DECLARED = {"cost": COST, "twin": TWIN, "training": TRAINING, "epoch": EPOCH}


def test_the_page_is_what_the_declarations_print() -> None:
    assert (ROOT / "docs/records.md").read_text() == documentation()


@pytest.mark.parametrize("fields", DECLARED.values(), ids=DECLARED)
@pytest.mark.parametrize("name", ["path", "column", "heading"])
def test_paths_columns_and_headings_are_unique(fields: Sequence[Field], name: str) -> None:
    names = [getattr(field, name) for field in fields if getattr(field, name)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("fields", DECLARED.values(), ids=DECLARED)
def test_every_field_has_a_description_and_every_heading_a_column(fields: Sequence[Field]) -> None:
    assert all(field.text for field in fields)
    assert all(field.column for field in fields if field.heading)


@pytest.mark.parametrize(("kind", "measured"), [("cost", COST_MEASURED), ("training", TRAINING_MEASURED)])
def test_an_empty_record_passes_its_own_check(kind: str, measured: Sequence[Field]) -> None:
    record = empty(measured)
    assert record_problem({"kind": kind, **record}) is None
    assert set(record) == {field.path.partition(".")[0] for field in measured}


def test_two_empty_records_share_no_list() -> None:
    empty(TRAINING_MEASURED)["epochs"].append("first")
    assert empty(TRAINING_MEASURED)["epochs"] == []


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"kind": "cost", "case": {"resolution": 0}}, "case.resolution is 0; allowed: a number above 0"),
        ({"kind": "cost", "case": {"new_axis": []}}, "case.new_axis is []; allowed: text, a number, true or false"),
        ({"kind": "cost", "macs": {"unsupported": {"aten::sin": -1}}}, "of values, each a number of at least 0"),
        ({"kind": "twin", "seconds": {"rounds": [[1.0], [0.0]]}}, "allowed: a list of lists of numbers above 0"),
        ({"kind": "training", "epochs": [{"macs": "many"}]}, "allowed: a list of objects"),
        ({"kind": "training", "run": {"seed": 0.5}}, "run.seed is 0.5; allowed: an integer of at least 0"),
    ],
)
def test_a_value_of_another_kind_is_named(record: dict[str, object], problem: str) -> None:
    assert problem in str(record_problem(record))
