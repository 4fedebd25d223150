"""The outcome of a measurement: its status, and what a function in its own process returned or raised."""

from typing import Any, NamedTuple

from benchmarks.records.printable import escaped

# A measurement that is "invalid" ran and gave a wrong output, one that "interfered" changed its process for others, and
# one that is "interrupted" was stopped by its user.
SUCCESSES = ("ok", "skipped")
FAILURES = ("failed", "killed", "timeout", "out_of_memory", "invalid", "interfered")
STATUSES = (*SUCCESSES, *FAILURES, "interrupted")
# Enough for a message with a file's path, two checksums and an address.
MESSAGE_LENGTH = 600
# Messages of torch's allocators, and of cuBLAS and cuDNN, in lower case.
ALLOCATION_REFUSED = ("out of memory", "can't allocate memory", "not enough memory", "status_alloc_failed")


class InvalidResult(Exception):  # noqa: N818
    """Raised by a function in its own process when its result is wrong; gives the status "invalid"."""


class Interfered(Exception):  # noqa: N818
    """Raised when a contender changed its process, and with it what others are measured in; gives "interfered"."""


class Skipped(Exception):  # noqa: N818
    """Raised by a function in its own process that has nothing to do, with the reason; gives the status "skipped"."""


class Located(Exception):  # noqa: N818
    """Raised in place of an error in a user's module; the message has the error's type, text and line. "failed"."""


class Outcome(NamedTuple):
    """The outcome of a function: one of ``STATUSES``, one line of explanation, and the returned fields."""

    status: str
    message: str
    fields: dict[str, Any]


def outcome_of(error: Exception) -> Outcome:
    """Return the outcome of a function that raised: its status, and the error or the reason to skip in one line."""
    try:
        text = str(error)
    except Exception as another:
        text = f"its message cannot be shown ({type(another).__name__})"
    status = _status_of(error, text)
    text = text if isinstance(error, Skipped | Interfered | Located) else f"{type(error).__name__}: {text}"
    return Outcome(status, escaped(" ".join(text.split()))[:MESSAGE_LENGTH], {})


def _status_of(error: Exception, text: str) -> str:
    for kind, status in ((InvalidResult, "invalid"), (Interfered, "interfered"), (Skipped, "skipped")):
        if isinstance(error, kind):
            return status
    refused = isinstance(error, RuntimeError) and any(words in text.lower() for words in ALLOCATION_REFUSED)
    return "out_of_memory" if refused or isinstance(error, MemoryError) else "failed"
