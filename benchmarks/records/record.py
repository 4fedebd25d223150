"""The parts of every record: its schema, its kind, and the machine that it comes from."""

from collections.abc import Mapping
from typing import Any

# The schema that is written. Schema 1 had ``seconds.samples``, of one process, where schema 2 has ``seconds.rounds``.
SCHEMA = 2
READABLE_SCHEMAS = (1, 2)
KINDS = ("cost", "twin", "training")
Record = dict[str, Any]
# The processor's name, the cores that a process may use (with a quota of their time, if there is one), and the GPU of
# the measurement. Times are comparable only on the same machine.
Machine = tuple[str, str, str]


class StoredRecord(dict[str, Any]):
    """A record that was read from a file.

    ``place`` is the file and the number of the line. ``statuses`` are those of all records that were stored together
    with this one, as the records of a block are; None if some of them are missing.
    """

    place = ""
    statuses: tuple[str, ...] | None = None


def place_of(record: Record) -> str:
    """Return where a record was read, for a message; for a record that was made here, its id."""
    return getattr(record, "place", "") or f"record {record.get('id')!r:.40}"


def machine_of(record: Record) -> Machine:
    """Return the machine on which a record was measured."""
    provenance = record.get("provenance")
    known = provenance if isinstance(provenance, dict) else {}
    return str(known.get("cpu")), cores_text(known), str(known.get("gpu"))


def machine_text(machine: Machine) -> str:
    """Return the name of a machine in words: its GPU, if that was used, its processor and its cores.

    >>> machine_text(("Xeon", "8", "None")), machine_text(("None", "None", "H100"))
    ('Xeon, 8 cores', 'H100 in unknown processor, unknown number of cores')
    """
    cpu, cores, gpu = machine
    known = "unknown number of" if cores == "None" else cores
    name = f"{'unknown processor' if cpu == 'None' else cpu}, {known} cores"
    return name if gpu == "None" else f"{gpu} in {name}"


def cores_text(provenance: Mapping[str, Any]) -> str:
    """Return the number of cores in words, with the quota of their time.

    >>> cores_text({"cores": 8}), cores_text({"cores": 8, "cpu_quota": 1.5})
    ('8', '1.5 of 8')
    """
    cores, quota = provenance.get("cores"), provenance.get("cpu_quota")
    return str(cores) if quota is None else f"{quota} of {cores}"


def rounds_of(record: Record) -> list[list[float]]:
    """Return the samples of each process that has some, in seconds; a record of schema 1 has one process."""
    seconds = record.get("seconds") or {}
    return [samples for samples in seconds.get("rounds") or [seconds.get("samples")] if samples]
