"""What a record is: its schema, its kind, the machine it comes from."""

from typing import Any

# What is written. Schema 1 had ``seconds.samples``, of one process, where 2 has ``seconds.rounds``.
SCHEMA = 2
READABLE_SCHEMAS = (1, 2)
KINDS = ("cost", "twin", "training")
Record = dict[str, Any]
# What times may be compared on: the processor's name, the cores a process may use, and the GPU that did the work.
Machine = tuple[str, str, str]


def machine_of(record: Record) -> Machine:
    """Where a record was measured."""
    provenance = record.get("provenance")
    known = provenance if isinstance(provenance, dict) else {}
    return str(known.get("cpu")), str(known.get("cores")), str(known.get("gpu"))


def rounds_of(record: Record) -> list[list[float]]:
    """The samples of every process that has some, in seconds; schema 1 had one process."""
    seconds = record.get("seconds") or {}
    rounds = seconds.get("rounds") or [seconds.get("samples")]
    return [samples for samples in rounds if samples]
