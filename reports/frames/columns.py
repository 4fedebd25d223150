"""The columns of every frame: fields of a record, declared in `benchmarks.records`, and derived values.

Numbers are floats throughout, because a record of a failed case lacks most of them. Times are in seconds, memory in
bytes, MACs in multiply-accumulates of one forward pass of the whole batch; accuracies are fractions in [0, 1].
"""

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.records.cost_fields import CASE, COST, ID, MEMORY
from benchmarks.records.field import Field
from benchmarks.records.kinds import FLAG, NUMBER, TEXT, Kind
from benchmarks.records.printable import LONGEST_TEXT
from benchmarks.records.training_fields import EPOCH, RUN, TRAINING

OURS = "gcnn_impl"
# The most characters of a text that are shown; the record keeps the whole text. Labels are texts beside axes; messages
# are sentences in tables.
LONGEST_LABEL, LONGEST_NAME = 24, 120
LABELS = ("layer", "variant", "group", "direction", "kernels", "execution", "device", "dtype", "dataset")
MESSAGES = ("message", "macs_unsupported", "macs_not_counted", "source")
SEVERAL = Kind("several values", lambda value: isinstance(value, tuple))


def derived(name: str, kind: Kind, heading: str = "", written: str = "plain", *, main: bool = False) -> Field:
    """Return a column whose values are derived from several fields of a record."""
    return Field("", kind, column=name, heading=heading, written=written, main=main)


def placed(fields: Sequence[Field], before: Mapping[str, Sequence[Field]]) -> tuple[Field, ...]:
    """Return the fields that are columns; the columns under a field's name in `before` are placed before that field."""
    found: list[Field] = []
    for field in fields:
        found += [*before.get(field.column, ()), field] if field.column else []
    return tuple(found)


MACHINE = derived("machine", TEXT, "machine")
OWN_CODE = derived("own_code", TEXT)  # the hash of the code of the user's layer or network; empty for one of ours
COST_COLUMNS = placed(
    COST,
    {
        "seconds": [derived("rounds", NUMBER, "processes"), derived("round_medians", SEVERAL)],  # tuples of floats
        "macs_convolution": [derived("macs_unsupported", TEXT)],
        "stage_kernel_generation": [derived("findings", SEVERAL, "findings", "kinds")],  # tuples (kind, detail, remedy)
        # Tuples (operator, phase, seconds, calls, MACs, bytes), in the order of the record.
        "profiled_seconds": [derived("operators", SEVERAL)],
        "message": [derived("missing", SEVERAL)],  # tuples (instrument, why it has no value)
        "id": [MACHINE, OWN_CODE],
    },
)
RUN_COLUMNS = placed(
    TRAINING,
    {
        "test_accuracy": [
            derived("epochs_done", NUMBER, "epochs", main=True),
            derived("validation_accuracy", NUMBER, "validation accuracy", "share", main=True),
        ],
        "parameters": [
            derived("seconds", NUMBER, "training time", "seconds", main=True),
            derived("layer_errors", SEVERAL),  # tuples (layer, error), in the order of the layers
            derived("by_angle", SEVERAL),  # tuples (angle, accuracy, change of the logits)
        ],
        "id": [MACHINE, OWN_CODE],
    },
)
REDUNDANCY = derived("redundancy", SEVERAL)  # tuples (layer, variant, fraction)
EPOCH_COLUMNS = (MACHINE, ID, *placed(RUN, {}), *placed(EPOCH, {}), REDUNDANCY)
# One row per A/A pair: a case that was measured twice, and the medians of the rounds of both measurements.
_TWIN = ("id", "variant", "group", "device", "dtype", "execution", "threads", "layer", "direction", "seconds")
TWIN_COLUMNS = (
    MACHINE,
    *(field for field in COST_COLUMNS if field.column in _TWIN),
    derived("first", SEVERAL),
    derived("second", SEVERAL),
)
_RUN = {field.column for field in RUN}
CASE_AXES = tuple(field.column for field in placed(CASE, {}))
# A run without a value on one of these axes cannot be compared. Old runs may lack the other axes: dtype and scales.
RUN_AXES = ("dataset", *(axis for axis in CASE_AXES if axis in _RUN and axis not in ("dtype", "scales")))
MEMORY_PARTS = tuple(field.column for field in MEMORY if field.kind is NUMBER)  # a part may be negative


def types(columns: Iterable[Field]) -> dict[str, type]:
    """Return the type of each column's values, by the column's name."""
    by_kind = {TEXT: str, FLAG: str, SEVERAL: tuple}
    return {field.column: by_kind.get(field.kind, float) for field in columns}


def longest_text(column: str) -> int:
    """Return how many characters of a column's texts are shown."""
    return LONGEST_LABEL if column in LABELS else LONGEST_TEXT if column in MESSAGES else LONGEST_NAME
