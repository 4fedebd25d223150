"""Records → tidy DataFrames. The only place that knows the shape of a record.

Times are in seconds, memory in bytes, MACs in multiply-accumulates of one forward pass of the whole batch,
accuracies are fractions in [0, 1]. What was not measured is NaN.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

Record = dict[str, Any]

SCHEMA = 1
# Columns and their types. Numbers are floats throughout: a record of a failed case lacks most of them.
IDENTITY = {"machine": str, "id": str, "status": str, "message": str}
SIZES = {"resolution": float, "channels": float, "batch_size": float, "image_size": float, "kernel_size": float}
KIND = {"variant": str, "group": str, "device": str, "threads": float}
CASE = {"layer": str, "direction": str, "dtype": str}
RUN = {"dataset": str, "epochs": float, "learning_rate": float, "weight_decay": float, "seed": float}
TIME = {"n": float, "seconds": float, "q1": float, "q3": float, "ci_low": float, "ci_high": float}
MEMORY = {"peak_bytes": float, "memory_method": str}
MACS = {"macs_kernel_generation": float, "macs_convolution": float, "macs_unsupported": str}
DATA = {"n_train": float, "n_validation": float, "n_test": float, "source": str}
ACCURACY = {
    "epochs_done": float,
    "seconds": float,
    "best_epoch": float,
    "validation_accuracy": float,
    "test_accuracy": float,
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
    "parameters": float,
    "equivariance_error": float,
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
EPOCH_COLUMNS = {
    "machine": str,
    "id": str,
    **RUN,
    **KIND,
    **SIZES,
    "epoch": float,
    "seconds": float,
    "macs": float,
    "train_loss": float,
    "validation_accuracy": float,
}


@dataclass(frozen=True)
class Frames:
    """What a report is made of: one row per cost record, per training run, and per epoch of a run."""

    costs: pd.DataFrame
    runs: pd.DataFrame
    epochs: pd.DataFrame

    @property
    def machines(self) -> list[str]:
        """Machines in the order of the number of their records, most first."""
        return list(pd.concat([self.costs["machine"], self.runs["machine"]]).value_counts().index)

    def on(self, machine: str) -> "Frames":
        """The part measured on one machine."""
        return Frames(*(frame[frame["machine"] == machine] for frame in (self.costs, self.runs, self.epochs)))


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
    return cpu if device in (None, "cpu") else f"{provenance.get('gpu') or device} in {cpu}"


def frames(records: Iterable[Record]) -> Frames:
    """Tidy frames of the newest record of each id; records of a later schema or another kind are left out."""
    kept = [record for record in newest(records) if record.get("schema") == SCHEMA]
    costs = [record for record in kept if record.get("kind") == "cost"]
    runs = [record for record in kept if record.get("kind") == "training"]
    return Frames(
        _frame([_cost_row(record) for record in costs], COST_COLUMNS),
        _frame([_run_row(record) for record in runs], RUN_COLUMNS),
        _frame([row for record in runs for row in _epoch_rows(record)], EPOCH_COLUMNS),
    )


def _cost_row(record: Record) -> dict[str, Any]:
    seconds, memory, macs = (_part(record, key) for key in ("seconds", "memory", "macs"))
    unsupported = macs.get("unsupported") or {}
    return {
        **_common(record, "case"),
        "n": seconds.get("n"),
        "seconds": seconds.get("median"),
        **{key: seconds.get(key) for key in ("q1", "q3", "ci_low", "ci_high")},
        "peak_bytes": memory.get("peak_bytes"),
        "memory_method": memory.get("method"),
        "macs_kernel_generation": macs.get("kernel_generation"),
        "macs_convolution": macs.get("convolution"),
        "macs_unsupported": " ".join(f"{name}×{count}" for name, count in sorted(unsupported.items())),
        "equivariance_error": record.get("equivariance_error"),
    }


def _run_row(record: Record) -> dict[str, Any]:
    data, epochs = _part(record, "data"), record.get("epochs") or []
    best: Record = next((row for row in epochs if row.get("epoch") == record.get("best_epoch")), {})
    return {
        **_common(record, "run"),
        "macs_convolution": _part(record, "macs_per_image").get("convolution"),
        **{f"n_{part}": data.get(part) for part in ("train", "validation", "test")},
        "source": data.get("source"),
        "epochs_done": len(epochs),
        "seconds": epochs[-1].get("seconds") if epochs else None,
        "best_epoch": record.get("best_epoch"),
        "validation_accuracy": best.get("validation_accuracy"),
        "test_accuracy": record.get("test_accuracy"),
    }


def _epoch_rows(record: Record) -> list[dict[str, Any]]:
    return [{**_common(record, "run"), **epoch} for epoch in record.get("epochs") or []]


def _common(record: Record, fields: str) -> dict[str, Any]:
    return {
        **_part(record, fields),
        **_part(record, "provenance"),
        **{key: record.get(key) for key in ("id", "status", "message", "parameters")},
        "machine": machine_of(record),
        "threads": _part(record, fields).get("threads"),
    }


def _part(record: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A nested object of a record; empty where the record has none (a failed case has no times)."""
    part = record.get(key)
    return part if isinstance(part, dict) else {}


def _frame(rows: list[dict[str, Any]], columns: dict[str, type]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns))
    for column, kind in columns.items():
        if kind is str:
            frame[column] = frame[column].map(lambda value: "" if pd.isna(value) else str(value)).astype(object)
        else:
            frame[column] = pd.to_numeric(frame[column], errors="coerce").astype(float)
    return frame
