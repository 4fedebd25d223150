"""What can become of a measurement: statuses, and the outcome of a function that ran in its own process."""

from typing import Any, NamedTuple

# What became of a measurement. "invalid" ran and gave a wrong answer, "interrupted" was stopped by its user.
SUCCESSES = ("ok", "skipped")
FAILURES = ("failed", "killed", "timeout", "out_of_memory", "invalid")
STATUSES = (*SUCCESSES, *FAILURES, "interrupted")
# Room for a file with its path, two checksums and an address.
MESSAGE_LENGTH = 600
# How torch's allocators put it, in lower case.
ALLOCATION_REFUSED = ("out of memory", "can't allocate memory", "not enough memory")


class InvalidResult(Exception):  # noqa: N818
    """Raised by an isolated function whose result is there, and wrong: the status "invalid"."""


class Skipped(Exception):  # noqa: N818
    """Raised by an isolated function that has nothing to do here, for the reason it says: the status "skipped"."""


class Outcome(NamedTuple):
    """What became of a function: a status of ``records.STATUSES``, one line of explanation, and what it returned."""

    status: str
    message: str
    fields: dict[str, Any]


def outcome_of(error: Exception) -> Outcome:
    """What a function that raised has become: its status, and the error (or the reason to skip) in one line."""
    text = str(error) if isinstance(error, Skipped) else f"{type(error).__name__}: {error}"
    return Outcome(_status_of(error), " ".join(text.split())[:MESSAGE_LENGTH], {})


def _status_of(error: Exception) -> str:
    if isinstance(error, InvalidResult):
        return "invalid"
    if isinstance(error, Skipped):
        return "skipped"
    text = str(error).lower()
    refused = isinstance(error, RuntimeError) and any(words in text for words in ALLOCATION_REFUSED)
    return "out_of_memory" if refused or isinstance(error, MemoryError) else "failed"
