"""What speaks against the records that are already there: an older state of the code, or that they failed."""

import warnings
from collections import Counter
from collections.abc import Mapping, Sequence

from benchmarks.records.outcome import FAILURES
from benchmarks.records.record import Record
from benchmarks.records.store import RecordWarning

REMEDY = "give another --results to measure"


def warn_of(there: Sequence[Record], commit: str | None, own_code: Mapping[str, str], *, retried: bool) -> None:
    """Warn of records that are not measured again although they are of other code, or failed.

    Args:
        there: the records, of cases or of training runs.
        commit: the commit of the checkout; None outside a checkout.
        own_code: the hash of the code of each user's module, see ``records.own_code``.
        retried: whether failures are measured again, so that only skipped cases and successes are there.
    """
    found = [*_of_other_commits(there, commit), *_of_changed_code(there, own_code)]
    for text in found + ([] if retried else _of_failures(there)):
        warnings.warn(text, RecordWarning, stacklevel=2)


def _of_other_commits(there: Sequence[Record], commit: str | None) -> list[str]:
    others = sum(_provenance(record).get("commit") != commit for record in there)
    if not others or commit is None:
        return []
    return [
        f"{others} of the {len(there)} records already there are of another commit than {commit[:10]}; "
        f"{REMEDY} this one"
    ]


def _of_changed_code(there: Sequence[Record], own_code: Mapping[str, str]) -> list[str]:
    kept = [_provenance(record).get("own_code") or {} for record in there]
    changed = Counter(name for codes in kept for name, code in codes.items() if own_code.get(name, code) != code)
    return [
        f"{name} has changed since {count} of the {len(there)} records already there were measured; "
        f"{REMEDY} it as it is now"
        for name, count in changed.items()
    ]


def _of_failures(there: Sequence[Record]) -> list[str]:
    failed = [record for record in there if record["status"] in FAILURES]
    if not failed:
        return []
    first = f"{failed[0]['status']}: {failed[0]['message']}"
    counted = f"{len(failed)} of the {len(there)} records already there are of failures ({first})"
    return [f"{counted}; --retry-failed measures them again"]


def _provenance(record: Record) -> Record:
    return record.get("provenance") or {}
