"""Records → tidy DataFrames. The only place that knows the shape of a record.

Times are in seconds, memory in bytes, MACs in multiply-accumulates of one forward pass of the whole batch,
accuracies are fractions in [0, 1]. What was not measured is NaN.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

import pandas as pd

from benchmarks.records.printable import LONGEST_TEXT, printable
from benchmarks.records.record import READABLE_SCHEMAS, Record, rounds_of

OURS = "gcnn_impl"
# Characters of a text that are shown; the record has all of them. Words stand beside axes, names and texts in tables.
LONGEST_WORD, LONGEST_NAME = 24, 120
WORDS = ("layer", "variant", "group", "direction", "kernels", "execution", "device", "dtype", "dataset")
TEXTS = ("message", "macs_unsupported", "source")
# Columns and their types. Numbers are floats throughout: a record of a failed case lacks most of them.
IDENTITY = {"machine": str, "id": str, "status": str, "message": str}
SIZES = {"resolution": float, "channels": float, "batch_size": float, "image_size": float, "kernel_size": float}
KIND = {"variant": str, "group": str, "device": str, "threads": float}
CASE = {
    "layer": str,
    "implementation": str,
    "direction": str,
    "kernels": str,
    "execution": str,
    "dtype": str,
    "scales": float,
}
RUN = {
    "dataset": str,
    "network": str,
    "hidden_features": float,
    "sampled": str,
    "budget_unit": str,
    "budget": float,
    "recipe": str,
    "matched": str,  # by which budget the width was chosen
    "learning_rate": float,
    "weight_decay": float,
    "limit": float,
    "dtype": str,
    "scales": float,
    "seed": float,
}
SUMMARY = {"n": float, "seconds": float, "q1": float, "q3": float, "ci_low": float, "ci_high": float}
TIME = {
    **SUMMARY,
    "rounds": float,
    "round_medians": tuple,  # of floats
    "outliers_mild": float,
    "outliers_far": float,
    "stopped": str,
    "block": str,
    "noise": str,
    "findings": tuple,  # of (kind, detail, remedy)
    "compile_seconds": float,
    "device_seconds": float,
}
MEMORY_PARTS = ("parameters_bytes", "kernels_bytes", "activations_bytes", "workspace_bytes")
MEMORY = {
    "peak_bytes": float,
    **dict.fromkeys(MEMORY_PARTS, float),
    "predicted_bytes": float,
    "reserved_bytes": float,
    "memory_method": str,
}
MACS = {
    "macs_kernel_generation": float,
    "macs_convolution": float,
    "macs_backward": float,
    "macs_unsupported": str,
    "zero_counted_time_share": float,
}
STAGES = ("kernel_generation", "group_mixing", "spatial_convolution", "other", "forward", "backward", "optimiser")
LIMITS = {
    **{f"stage_{stage}": float for stage in STAGES},
    "kernel_generation_share": float,
    "arithmetic_intensity": float,
    "macs_per_second": float,
    "matrix_ceiling": float,
    "memory_ceiling": float,
    "roofline_fraction": float,
    "joules_per_sample": float,
}
DATA = {"n_train": float, "n_validation": float, "n_test": float, "source": str}
ACCURACY = {
    "epochs_done": float,
    "seconds": float,
    "best_epoch": float,
    "validation_accuracy": float,
    "test_accuracy": float,
    "stopped": str,
}
PROVENANCE = {
    "measured_at": str,
    "commit": str,
    "dirty": str,
    "python": str,
    "torch": str,
    "gcnn_impl": str,
    "fvcore": str,
    "platform": str,
    "cpu": str,
    "cores": float,
    "gpu": str,
    "load_before": float,
    "load_after": float,
}
COST_COLUMNS = {
    **IDENTITY,
    **CASE,
    **KIND,
    **SIZES,
    **TIME,
    **MEMORY,
    **MACS,
    **LIMITS,
    "parameters": float,
    "equivariance_error": float,
    "missing": tuple,  # of (what was not measured, why)
    **PROVENANCE,
}
RUN_COLUMNS = {
    **IDENTITY,
    **RUN,
    **KIND,
    **SIZES,
    **DATA,
    **ACCURACY,
    "macs_convolution": float,
    "parameters": float,
    **PROVENANCE,
}
EPOCH = {
    "epoch": float,
    "seconds": float,
    "macs": float,
    "train_loss": float,
    "train_accuracy": float,
    "validation_loss": float,
    "validation_accuracy": float,
    "images_per_second": float,
    "peak_bytes": float,
    "equivariance_error": float,
}
EPOCH_COLUMNS = {"machine": str, "id": str, **RUN, **KIND, **SIZES, **EPOCH}
EPOCH_COLUMNS |= {"redundancy": tuple}  # of (layer, variant, fraction)


# One row per A/A pair: what was entered twice, and the medians of the rounds of both entries.
TWIN_COLUMNS = {"machine": str, "id": str, **KIND, "layer": str, "direction": str, "seconds": float}
TWIN_COLUMNS |= {"first": tuple, "second": tuple}


@dataclass(frozen=True)
class Frames:
    """What a report is made of: one row per cost record, per training run, per epoch of a run, and per A/A pair."""

    costs: pd.DataFrame
    runs: pd.DataFrame
    epochs: pd.DataFrame
    twins: pd.DataFrame

    @property
    def machines(self) -> list[str]:
        """Machines in the order of the number of their records, most first."""
        return list(pd.concat([self.costs["machine"], self.runs["machine"]]).value_counts().index)

    def on(self, machine: str) -> "Frames":
        """The part measured on one machine."""
        everything = (self.costs, self.runs, self.epochs, self.twins)
        return Frames(*(frame[frame["machine"] == machine] for frame in everything))


def complete(frame: pd.DataFrame) -> pd.Series:
    """Which rows name a value on every axis: a record that lacks one can be listed, and compared with nothing."""
    axes = [*KIND, *SIZES, *(CASE if "layer" in frame else ("dataset",))]
    known = frame[axes].notna() & (frame[axes] != "")
    return known.all(axis=1)


def newest(records: Iterable[Record]) -> list[Record]:
    """The newest (last appended) record of each id on each machine, in the order of first appearance."""
    latest: dict[tuple[str, str], Record] = {}
    for record in records:
        latest[machine_of(record), str(record.get("id"))] = record
    return list(latest.values())


def machine_of(record: Mapping[str, Any]) -> str:
    """What times may be compared on: the processor that did the work, and how many cores the host has."""
    provenance = _part(record, "provenance")
    device = (_part(record, "case") or _part(record, "run")).get("device")
    cpu = f"{provenance.get('cpu') or 'unknown processor'}, {provenance.get('cores') or '?'} cores"
    gpu = provenance.get("gpu") or device
    return cpu if device == "cpu" or gpu is None else f"{gpu} in {cpu}"


def frames(records: Iterable[Record]) -> Frames:
    """Tidy frames of the newest record of each id; records of another schema or kind are left out."""
    kept = [record for record in newest(records) if record.get("schema") in READABLE_SCHEMAS]
    costs, twins, runs = ([r for r in kept if r.get("kind") == kind] for kind in ("cost", "twin", "training"))
    return Frames(
        _frame([_cost_row(record) for record in costs], COST_COLUMNS),
        _frame([_run_row(record) for record in runs], RUN_COLUMNS),
        _frame([row for record in runs for row in _epoch_rows(record)], EPOCH_COLUMNS),
        _frame(_twin_rows(costs, twins), TWIN_COLUMNS),
    )


def _medians(record: Record) -> tuple[float, ...]:
    return tuple(float(median(samples)) for samples in rounds_of(record))


def _case(record: Record) -> dict[str, Any]:
    """The axes of a case, with those that schema 1 did not have at the only value they could take."""
    case = _part(record, "case")
    kernels = "cached" if case.get("direction") == "forward" else "generated"
    before = {"implementation": OURS, "kernels": kernels, "execution": "eager", "scales": 1}
    return {**before, **_named(case, CASE, KIND, SIZES)}


def _cost_row(record: Record) -> dict[str, Any]:
    seconds, memory, macs, noise = (_part(record, key) for key in ("seconds", "memory", "macs", "noise"))
    roofline, energy, stages = (_part(record, key) for key in ("roofline", "energy", "stages"))
    unsupported, outliers = macs.get("unsupported") or {}, seconds.get("outliers") or {}
    missing = {**_part(record, "missing"), **({"energy": energy["reason"]} if energy.get("reason") else {})}
    return {
        **_common(record, "case"),
        **_case(record),
        "n": seconds.get("n"),
        "seconds": seconds.get("median"),
        **{key: seconds.get(key) for key in ("q1", "q3", "ci_low", "ci_high", "stopped")},
        "rounds": len(rounds_of(record)) or None,
        "round_medians": _medians(record),
        **{f"outliers_{kind}": outliers.get(kind) for kind in ("mild", "far")},
        "block": record.get("block"),
        "noise": noise.get("verdict"),
        "findings": tuple((f["kind"], f["detail"], f["remedy"]) for f in noise.get("findings") or ()),
        "compile_seconds": record.get("compile_seconds"),
        "device_seconds": _part(record, "device_seconds").get("median"),
        **{key: memory.get(key) for key in ("peak_bytes", *MEMORY_PARTS, "predicted_bytes", "reserved_bytes")},
        "memory_method": memory.get("method"),
        **{f"macs_{part}": macs.get(part) for part in ("kernel_generation", "convolution", "backward")},
        "macs_unsupported": " ".join(f"{name}×{count}" for name, count in sorted(unsupported.items())),
        "zero_counted_time_share": macs.get("zero_counted_time_share"),
        **{f"stage_{stage}": stages.get(stage) for stage in STAGES},
        "kernel_generation_share": stages.get("kernel_generation_share"),
        **_named(roofline, LIMITS),
        "roofline_fraction": roofline.get("fraction"),
        "joules_per_sample": energy.get("joules_per_sample"),
        "equivariance_error": record.get("equivariance_error"),
        "missing": tuple(sorted(missing.items())),
    }


def _twin_rows(costs: list[Record], twins: list[Record]) -> list[dict[str, Any]]:
    """Every twin beside the first entry of its case, where both ran in the same rounds of the same block."""
    firsts = {(machine_of(record), record.get("id"), record.get("block")): record for record in costs}
    rows = []
    for twin in twins:
        first = firsts.get((machine_of(twin), twin.get("case_id"), twin.get("block")))
        if first is None or first.get("status") != "ok" or twin.get("status") != "ok":
            continue
        entries = {"first": _medians(first), "second": _medians(twin)}
        if len(entries["first"]) == len(entries["second"]) > 0:
            rows.append({**_common(first, "case"), "seconds": _part(first, "seconds").get("median"), **entries})
    return rows


def _run_row(record: Record) -> dict[str, Any]:
    data, epochs = _part(record, "data"), _epochs(record)
    best: Record = next((row for row in epochs if row.get("epoch") == record.get("best_epoch")), {})
    return {
        **_common(record, "run"),
        **_run(record),
        "macs_convolution": _part(record, "macs_per_image").get("convolution"),
        **{f"n_{part}": data.get(part) for part in ("train", "validation", "test")},
        "source": data.get("source"),
        "epochs_done": epochs[-1].get("epoch") if epochs else None,
        "seconds": epochs[-1].get("seconds") if epochs else None,
        "best_epoch": record.get("best_epoch"),
        "validation_accuracy": best.get("validation_accuracy"),
        "test_accuracy": record.get("test_accuracy"),
        "stopped": record.get("stopped"),
    }


def _run(record: Record) -> dict[str, Any]:
    """The fields of a run, with those that schema 1 did not have at the only value they could take."""
    run = _part(record, "run")
    old = {"budget_unit": "epochs", "budget": run.get("epochs"), "matched": "none", "dtype": "float32", "scales": 1}
    old |= {"network": "resnet", "sampled": False}
    return {**old, **_named(run, RUN)}


def _epochs(record: Record) -> list[dict[str, Any]]:
    epochs = record.get("epochs")
    return [epoch for epoch in epochs if isinstance(epoch, dict)] if isinstance(epochs, list) else []


def _epoch_rows(record: Record) -> list[dict[str, Any]]:
    common = {**_common(record, "run"), **_run(record)}
    return [{**common, **_named(epoch, EPOCH), "redundancy": _redundancy(epoch)} for epoch in _epochs(record)]


def _redundancy(epoch: Mapping[str, Any]) -> tuple[tuple[str, str, float], ...]:
    layers = _part(epoch, "redundancy")
    return tuple(
        (str(layer), str(variant), float(fraction))
        for layer, fractions in layers.items()
        for variant, fraction in (fractions.items() if isinstance(fractions, dict) else ())
        if isinstance(fraction, int | float)
    )


def _common(record: Record, fields: str) -> dict[str, Any]:
    return {
        **_named(_part(record, fields), CASE, KIND, SIZES, RUN),
        **_named(_part(record, "provenance"), PROVENANCE),
        **{key: record.get(key) for key in ("id", "status", "message", "parameters")},
        "machine": machine_of(record),
        "threads": _part(record, fields).get("threads"),
    }


def _named(part: Mapping[str, Any], *columns: Mapping[str, type]) -> dict[str, Any]:
    """What a part says about some columns; it has no say in others, whatever is in it."""
    return {name: part[name] for some in columns for name in some if name in part}


def _part(record: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A nested object of a record; empty where the record has none (a failed case has no times)."""
    part = record.get(key)
    return part if isinstance(part, dict) else {}


def _frame(rows: list[dict[str, Any]], columns: dict[str, type]) -> pd.DataFrame:
    raw = pd.DataFrame(rows, columns=list(columns), dtype=object)
    return pd.DataFrame({column: _typed(raw[column], kind) for column, kind in columns.items()})


def _typed(values: pd.Series, kind: type) -> pd.Series:
    if kind is tuple:
        return values.map(lambda value: _printable(value) if isinstance(value, tuple) else ()).astype(object)
    if kind is str:
        longest = LONGEST_WORD if values.name in WORDS else LONGEST_TEXT if values.name in TEXTS else LONGEST_NAME
        return values.map(lambda value: "" if pd.isna(value) else printable(str(value), longest)).astype(object)
    return pd.to_numeric(values, errors="coerce").astype(float)


def _printable(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if values and isinstance(values[0], float):  # thousands of numbers, and never beside texts
        return values
    return tuple(
        _printable(part)
        if isinstance(part, tuple)
        else printable(part, LONGEST_NAME)
        if isinstance(part, str)
        else part
        for part in values
    )
