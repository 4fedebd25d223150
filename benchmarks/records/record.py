"""The parts of every record: its schema, its kind, and the machine that it comes from."""

from typing import Any

# The schema that is written. Schema 1 had ``seconds.samples``, of one process, where schema 2 has ``seconds.rounds``.
SCHEMA = 2
READABLE_SCHEMAS = (1, 2)
KINDS = ("cost", "twin", "training")
Record = dict[str, Any]
# The processor's name, the cores that a process may use, and the GPU of the measurement. Times are comparable only on
# the same machine.
Machine = tuple[str, str, str]


def machine_of(record: Record) -> Machine:
    """Return the machine on which a record was measured."""
    provenance = record.get("provenance")
    known = provenance if isinstance(provenance, dict) else {}
    return str(known.get("cpu")), str(known.get("cores")), str(known.get("gpu"))


def rounds_of(record: Record) -> list[list[float]]:
    """Return the samples of each process that has some, in seconds; a record of schema 1 has one process."""
    seconds = record.get("seconds") or {}
    return [samples for samples in seconds.get("rounds") or [seconds.get("samples")] if samples]
