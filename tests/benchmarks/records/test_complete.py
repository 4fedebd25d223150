"""Tests of incomplete and hostile records: they are left out with file and line, and no answer breaks on them."""

import copy
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.answers.advice import advice_lines
from benchmarks.answers.advisor import Budget, advise
from benchmarks.answers.break_even import comparable_runs, overtaking_lines, target_lines
from benchmarks.answers.candidates import candidates
from benchmarks.answers.comparable import choose
from benchmarks.answers.differences import compare_results, text_lines
from benchmarks.answers.questions import QUESTIONS
from benchmarks.answers.side_by_side import lines_of, side_by_side
from benchmarks.cases.case import Case
from benchmarks.records.complete import why_incomplete
from benchmarks.records.configurations import by_configuration
from benchmarks.records.record import Record
from benchmarks.records.store import MOST_MESSAGES, RecordStore, RecordWarning
from benchmarks.running.already_there import warn_of
from tests.benchmarks.training_records import training_record

DELETED = object()
VALUES = (DELETED, None, "text", "\ud800", [1, None], {"x": {}}, 10**400, 1e300, -1, 0, [], {}, [[]], [{}])
GOOD = training_record([0.1, 0.5, 0.9])
OTHERS = [training_record([0.1, 0.4, 0.8], seed=1), training_record([0.1, 0.6, 0.7], variant="plain", group="trivial")]


def places(part: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, value in items:
        yield (*place, key)
        yield from places(value, (*place, key))


def with_value(record: Record, place: tuple[Any, ...], value: Any) -> Record:
    changed: Any = copy.deepcopy(record)
    part = changed
    for key in place[:-1]:
        part = part[key]
    if value is DELETED:
        del part[place[-1]]
    else:
        part[place[-1]] = value
    return changed  # type: ignore[no-any-return]


def written(directory: Path, *records: Any) -> RecordStore:
    (directory / "records.jsonl").write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return RecordStore(directory)


def answers_of_training(records: list[Record]) -> list[str]:
    try:
        found, remark = choose(candidates(records), "cpu", None)
    except ValueError as error:
        return [str(error)]
    budget = Budget({"parameters": 1e9, "epoch_seconds": 100.0}, 0.1)
    lines = [remark, *advice_lines(advise(found, budget), budget)]
    for title, configurations in comparable_runs(by_configuration(records, diverged=True)).items():
        lines += [title, *target_lines(configurations)]
        for rival in configurations:
            lines += overtaking_lines(configurations, rival)
    return lines


@pytest.mark.parametrize("place", list(places(GOOD)), ids=lambda place: ".".join(map(str, place)))
def test_no_value_anywhere_in_a_training_record_breaks_an_answer(place: tuple[Any, ...], tmp_path: Path) -> None:
    for value in VALUES:
        store = written(tmp_path, with_value(GOOD, place, value), *OTHERS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RecordWarning)
            assert answers_of_training(store.load())
            store.completed()
            warn_of(store.load(), "b" * 40, {"mine:net": "c" * 12}, retried=False)


def cost(variant: str) -> Record:
    case = Case(variant=variant, group="SO2", resolution=4, direction="forward_backward")
    rounds = [[0.1, 0.11, 0.12], [0.1, 0.12, 0.11]]
    return {
        "schema": 2,
        "kind": "cost",
        "id": case.id,
        "case": case.fields(),
        "status": "ok",
        "message": "",
        "block": "b",
        "seconds": {"rounds": rounds, "median": 0.11, "ci_low": 0.1, "ci_high": 0.12, "n": 6},
        "memory": {"peak_bytes": 10},
        "macs": {"convolution": 10, "kernel_generation": 1, "backward": 20},
        "stages": {"kernel_generation_share": 0.1},
        "provenance": {"cpu": "A", "cores": 2, "gpu": None, "commit": "a" * 40},
    }


COST, OTHER_COST = cost("full"), cost("separable")
TWIN = {**COST, "kind": "twin", "id": "twin", "case_id": COST["id"]}


@pytest.mark.parametrize("good", [COST, TWIN], ids=["cost", "twin"])
def test_no_value_anywhere_in_a_cost_record_breaks_an_answer(good: Record, tmp_path: Path) -> None:
    cases = [Case(**record["case"]) for record in (COST, OTHER_COST)]
    rest = [OTHER_COST, TWIN if good is COST else COST]
    for place in places(good):
        for value in VALUES:
            store = written(tmp_path, with_value(good, place, value), *rest)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RecordWarning)
                records = store.load()
            assert lines_of(side_by_side(cases, records))
            assert all(question.answer(cases, records) for question in QUESTIONS.values())
            assert text_lines(compare_results(records, records, 0.05, False))
            candidates(records)


def test_a_complete_record_lacks_nothing() -> None:
    assert [why_incomplete(record) for record in (GOOD, *OTHERS, COST, TWIN)] == [None] * 5


@pytest.mark.parametrize(
    ("place", "value", "lack"),
    [
        (("run", "seed"), None, "no run.seed"),
        (("run",), DELETED, "no run.dataset, run.variant, "),
        (("epochs",), [], "no trained epoch"),
        (("epochs", 1, "seconds"), None, "no epochs.seconds"),
        (("test_accuracy",), None, "no test_accuracy"),
        (("data",), None, "no data.test"),
        (("best_epoch",), 7, "no epoch with the number best_epoch"),
    ],
)
def test_an_incomplete_run_is_left_out_with_file_and_line(
    place: tuple[Any, ...], value: Any, lack: str, tmp_path: Path
) -> None:
    store = written(tmp_path, OTHERS[0], with_value(GOOD, place, value))
    with pytest.warns(RecordWarning) as caught:
        found = by_configuration(store.load())
    assert [record["id"] for records in found.values() for record in records] == [OTHERS[0]["id"]]
    (message,) = (str(warning.message) for warning in caught)
    assert message.startswith(f"{store.path}:2: left out of the answers: the record has {lack}")


def test_many_bad_lines_are_a_few_messages_and_one_that_counts_the_others(tmp_path: Path) -> None:
    store = written(tmp_path, GOOD, *([[]] for _ in range(1000)), OTHERS[0])
    with pytest.warns(RecordWarning) as caught:
        assert len(store.load()) == 2
    said = [str(warning.message) for warning in caught]
    assert said[0] == f"{store.path}:2: not a record, left out (a record is a JSON object, not list)"
    assert said[MOST_MESSAGES:] == [
        f"and {1000 - MOST_MESSAGES} more lines of {store.path} that are not records are left out"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "[[]]",
        '{"schema": 2, "kind": "training", "id": "a", "status": "ok", "epochs": [[]]}',
        '{"schema": 2, "kind": "cost", "id": "a", "status": "ok", "seconds": {"median": 1' + "0" * 400 + "}}",
        '{"schema": 2, "kind": "cost", "id": "a", "status": "ok", "seconds": {"median": 1' + "0" * 5000 + "}}",
    ],
)
def test_a_line_that_no_answer_could_use_is_named_with_file_and_line(line: str, tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.path.write_text(f"{line}\n")
    records, (message,) = store.read()
    assert records == []
    assert message.startswith(f"{store.path}:1: not a record, left out (")
    assert len(message) < 600
