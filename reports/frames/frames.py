"""Records → tidy DataFrames, from which sentences, tables and figures are made.

A value that was not measured is NaN, an empty text or an empty tuple; `columns` has the types and units.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.cases.case import FORMER_IMAGES
from benchmarks.cases.training_run import FORMER
from benchmarks.records.cost_fields import COST, MACS, ROOFLINE
from benchmarks.records.costs import interval_of, is_timed, why_no_macs
from benchmarks.records.field import Field
from benchmarks.records.printable import printable
from benchmarks.records.record import READABLE_SCHEMAS, Record, cores_text, rounds_of
from benchmarks.records.training_fields import EPOCH, RUN, TRAINING
from reports.frames import columns

# The columns that depend on a count of MACs, in a record without one.
OF_NO_MACS = {field.column: None for field in (*MACS, *ROOFLINE) if field.column}


# The columns of a record: for each object in it, the names that lead to it, and its own names with their columns.
Paths = list[tuple[list[str], list[tuple[str, str]]]]


def _paths(fields: Iterable[Field]) -> Paths:
    """Return where the columns of a record are."""
    found: dict[str, list[tuple[str, str]]] = {}
    for field in fields:
        if field.column:
            parents, _, name = field.path.rpartition(".")
            found.setdefault(parents, []).append((name, field.column))
    return [(parents.split(".") if parents else [], names) for parents, names in found.items()]


PATHS_OF_COST, PATHS_OF_TRAINING, PATHS_OF_RUN, PATHS_OF_EPOCH = map(_paths, (COST, TRAINING, RUN, EPOCH))


@dataclass(frozen=True)
class Frames:
    """The data of a report: frames with a row per cost record, per training run, per epoch of a run, per A/A pair."""

    costs: pd.DataFrame
    runs: pd.DataFrame
    epochs: pd.DataFrame
    twins: pd.DataFrame

    @property
    def machines(self) -> list[str]:
        """The names of the machines; those with the most records come first."""
        return list(pd.concat([self.costs["machine"], self.runs["machine"]]).value_counts().index)

    def on(self, machine: str) -> "Frames":
        """Return the rows measured on one machine."""
        everything = (self.costs, self.runs, self.epochs, self.twins)
        return Frames(*(frame[frame["machine"] == machine] for frame in everything))


def frames(records: Iterable[Record]) -> Frames:
    """Return tidy frames of the newest record of each id; records of an unknown schema or kind are left out."""
    kept = [record for record in newest(records) if record.get("schema") in READABLE_SCHEMAS]
    costs, twins, runs = ([r for r in kept if r.get("kind") == kind] for kind in ("cost", "twin", "training"))
    return Frames(
        _frame([_cost_row(record) for record in costs], columns.COST_COLUMNS),
        _frame([_run_row(record) for record in runs], columns.RUN_COLUMNS),
        _frame([row for record in runs for row in _epoch_rows(record)], columns.EPOCH_COLUMNS),
        _frame(_twin_rows(costs, twins), columns.TWIN_COLUMNS),
    )


def anchored(data: Frames) -> Frames:
    """Add `anchor`, the id of each record's row in the page; it is numbered, as a record's own id may be any text."""
    costs, runs = (
        frame.assign(anchor=[f"{kind}-{number}" for number in range(len(frame))])
        for kind, frame in (("cost", data.costs), ("run", data.runs))
    )
    return replace(data, costs=costs, runs=runs)


def newest(records: Iterable[Record]) -> list[Record]:
    """Return the newest (last appended) record of each id on each machine, in the order of first appearance."""
    latest: dict[tuple[str, str], Record] = {}
    for record in records:
        latest[machine_name(record), str(record.get("id"))] = record
    return list(latest.values())


def machine_name(record: Mapping[str, Any]) -> str:
    """Return a machine's name: its GPU (if used), CPU and number of cores. Times are comparable within one name."""
    provenance = _part(record, "provenance")
    device = (_part(record, "case") or _part(record, "run")).get("device")
    cores = cores_text({**provenance, "cores": provenance.get("cores") or "?"})
    cpu = f"{provenance.get('cpu') or 'unknown processor'}, {cores} cores"
    gpu = provenance.get("gpu") or device
    return cpu if device == "cpu" or gpu is None else f"{gpu} in {cpu}"


def _medians(record: Record) -> tuple[float, ...]:
    return tuple(float(median(samples)) for samples in rounds_of(record))


def _interval(record: Record) -> dict[str, float]:
    """Return the interval of the median time; that in an older record leaves out how much few rounds differ."""
    if not is_timed(record):
        return {}
    found = interval_of(record)
    return {"ci_low": found.low, "ci_high": found.high}


def _former_case(case: Mapping[str, Any]) -> dict[str, Any]:
    """Return the axes that schema 1 lacks, each with the only value that is possible in a record of schema 1."""
    kernels = "cached" if case.get("direction") == "forward" else "generated"
    former = {"implementation": columns.OURS, "kernels": kernels, "execution": "eager", "scales": 1}
    return {**former, **FORMER_IMAGES}


def _cost_row(record: Record) -> dict[str, Any]:
    energy, unsupported = _part(record, "energy"), _part(_part(record, "macs"), "unsupported")
    missing = {**_part(record, "missing"), **({"energy": energy["reason"]} if energy.get("reason") else {})}
    findings = _part(record, "noise").get("findings") or ()
    uncounted = why_no_macs(record) if _part(record, "macs").get("convolution") == 0 else None  # an older record
    return {
        **_former_case(_part(record, "case")),
        **_values(record, PATHS_OF_COST),
        **_interval(record),
        "machine": machine_name(record),
        "own_code": _own_code(record, "case", "implementation"),
        "rounds": len(rounds_of(record)) or None,
        "round_medians": _medians(record),
        "findings": tuple((finding["kind"], finding["detail"], finding["remedy"]) for finding in findings),
        "macs_unsupported": " ".join(f"{name}×{count}" for name, count in sorted(unsupported.items())),
        "missing": tuple(sorted(missing.items())),
        "operators": _operators(record),
        **({**OF_NO_MACS, "macs_not_counted": uncounted} if uncounted else {}),
    }


def _own_code(record: Record, part: str, field: str) -> str | None:
    """Return the hash of the code of the user's module that a field of a part of the record names."""
    return _part(_part(record, "provenance"), "own_code").get(str(_part(record, part).get(field)))


def _operators(record: Record) -> tuple[tuple[Any, ...], ...]:
    """Return operator, phase, seconds, calls, MACs and bytes of each row of a record's profile.

    Unknown MACs and bytes are NaN; a row without seconds or calls has none.
    """
    found = []
    for row in _part(record, "operators").get("rows") or ():
        texts = (str(row.get(name) or "") for name in ("operator", "phase"))
        spent = (float(row.get(name) or 0.0) for name in ("seconds", "calls"))
        counted = (math.nan if row.get(name) is None else float(row[name]) for name in ("macs", "bytes"))
        found.append((*texts, *spent, *counted))
    return tuple(found)


def _twin_rows(costs: list[Record], twins: list[Record]) -> list[dict[str, Any]]:
    """Pair each second measurement of a case with the first, where both ran in the same rounds of the same block."""
    firsts = {(machine_name(record), record.get("id"), record.get("block")): record for record in costs}
    rows = []
    for twin in twins:
        first = firsts.get((machine_name(twin), twin.get("case_id"), twin.get("block")))
        if first is None or first.get("status") != "ok" or twin.get("status") != "ok":
            continue
        entries = {"first": _medians(first), "second": _medians(twin)}
        if len(entries["first"]) == len(entries["second"]) > 0:
            rows.append({**_values(first, PATHS_OF_COST), "machine": machine_name(first), **entries})
    return rows


def _run_row(record: Record) -> dict[str, Any]:
    epochs = _epochs(record)
    last: Record = epochs[-1] if epochs else {}
    best: Record = next((row for row in epochs if row.get("epoch") == record.get("best_epoch")), {})
    return {
        **_former_run(_part(record, "run")),
        **_values(record, PATHS_OF_TRAINING),
        **_images(record),
        "machine": machine_name(record),
        "own_code": _own_code(record, "run", "network"),
        "epochs_done": last.get("epoch"),
        "seconds": last.get("seconds"),
        "validation_accuracy": best.get("validation_accuracy"),
        "layer_errors": tuple(
            (str(layer), float(error))
            for layer, error in _part(record, "equivariance_error_by_layer").items()
            if isinstance(error, int | float)
        ),
        "by_angle": _by_angle(record),
    }


def _by_angle(record: Record) -> tuple[tuple[float, float, float], ...]:
    """Return angle, accuracy and change of the logits (NaN if it is unknown) of each angle that was tested."""
    found = []
    for entry in record.get("test_by_angle") or ():
        angle, accuracy, change = (entry.get(name) for name in ("angle", "accuracy", "equivariance_error"))
        if angle is not None and accuracy is not None:
            found.append((float(angle), float(accuracy), math.nan if change is None else float(change)))
    return tuple(found)


def _former_run(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that schema 1 lacks, each with the only value that is possible in a record of schema 1."""
    old = {"budget_unit": "epochs", "budget": run.get("epochs"), "matched": "none", "dtype": "float32", "scales": 1}
    return {**old, "network": "resnet", "sampled": False, **FORMER}


def _images(record: Record) -> dict[str, Any]:
    """Return the name of the images that a run had: generated sets and folders have others than the data set."""
    data = _part(record, "data")
    name = data.get("source" if data.get("name") == "folder" else "name")
    return {"dataset": name} if name else {}


def _epochs(record: Record) -> list[dict[str, Any]]:
    epochs = record.get("epochs")
    return [epoch for epoch in epochs if isinstance(epoch, dict)] if isinstance(epochs, list) else []


def _epoch_rows(record: Record) -> list[dict[str, Any]]:
    run = {**_former_run(_part(record, "run")), **_values(record, PATHS_OF_RUN), **_images(record)}
    common = {**run, "machine": machine_name(record), "id": record.get("id")}
    return [{**common, **_values(epoch, PATHS_OF_EPOCH), "redundancy": _redundancy(epoch)} for epoch in _epochs(record)]


def _redundancy(epoch: Mapping[str, Any]) -> tuple[tuple[str, str, float], ...]:
    layers = _part(epoch, "redundancy")
    return tuple(
        (str(layer), str(variant), float(fraction))
        for layer, fractions in layers.items()
        for variant, fraction in (fractions.items() if isinstance(fractions, dict) else ())
        if isinstance(fraction, int | float)
    )


def _values(record: Mapping[str, Any], paths: Paths) -> dict[str, Any]:
    """Return the values of the columns at these paths, as far as the record has them."""
    found: dict[str, Any] = {}
    for parents, names in paths:
        inner = record
        for parent in parents:
            inner = _part(inner, parent)
        found |= {column: inner[name] for name, column in names if name in inner}
    return found


def _part(record: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return a nested object of a record; empty where the record has none (a failed case has no times)."""
    part = record.get(key)
    return part if isinstance(part, dict) else {}


def _frame(rows: list[dict[str, Any]], fields: Iterable[Field]) -> pd.DataFrame:
    kinds = columns.types(fields)
    return pd.DataFrame({name: _typed(name, [row.get(name) for row in rows], kind) for name, kind in kinds.items()})


def _typed(name: str, values: list[Any], kind: type) -> pd.Series:
    if kind is tuple:
        values = [_printable(value) if isinstance(value, tuple) else () for value in values]
    elif kind is str:
        longest = columns.longest_text(name)
        values = ["" if value is None or value != value else printable(str(value), longest) for value in values]
    cells = np.empty(len(values), dtype=object)
    for number, value in enumerate(values):  # one by one: an array would take tuples of one length for its rows
        cells[number] = value
    if kind in (tuple, str):
        return pd.Series(cells, dtype=object)
    return pd.Series(pd.to_numeric(cells, errors="coerce"), dtype=float)


def _printable(value: Any) -> Any:
    """Make the texts in a tuple printable, at any depth."""
    if isinstance(value, str):
        return printable(value, columns.LONGEST_NAME)
    are_numbers = isinstance(value, tuple) and value and isinstance(value[0], float)  # may be thousands of numbers
    return tuple(map(_printable, value)) if isinstance(value, tuple) and not are_numbers else value
