"""Any content of a results file is shown, or refused with one line, and never executed."""

import copy
import json
import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.records.kinds import LARGEST
from benchmarks.records.printable import LONGEST_TEXT
from benchmarks.records.store import RecordStore
from reports.frames.columns import LONGEST_NAME
from reports.frames.frames import frames
from reports.page.page import render

from .conftest import (
    cost_record,
    every_record,
    failed_record,
    noisy,
    old,
    training_record,
    twin_record,
    undrawn_panels,
)

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>\" onload='alert(3)"
WRONG = (None, "text", SCRIPT, [1, "two", None], {"x": {}}, 1e300, 10**400, -1, 0, True, [], {})
KINDS = {
    "cost": {**noisy(cost_record(variant="full")), "energy": {"reason": "none"}, "missing": {"stages": "it broke"}},
    "old": old(cost_record(variant="lifting")),
    "twin": twin_record(cost_record(), 1, 1, 1),
    "training": training_record("separable", 4, 0, 0.9),
}


def places(part, place=()):
    """Yield the path to every value in a record; of a list, only the first element."""
    items = part.items() if isinstance(part, dict) else enumerate(part[:1]) if isinstance(part, list) else ()
    for key, value in items:
        yield (*place, key)
        yield from places(value, (*place, key))


def with_value(record, place, value):
    changed = copy.deepcopy(record)
    part = changed
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    return changed


def read(directory, lines):
    """Return the records that the store accepts, and its messages about the other lines."""
    directory.mkdir(exist_ok=True)
    (directory / "records.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return RecordStore(directory).read()


def every_change(values=WRONG):
    """Yield records of every kind, in each of which one value is replaced by one of `values`."""
    for kind, good in KINDS.items():
        for number, place in enumerate(places(good)):
            for wrong, value in enumerate(values):
                changed = with_value(good, place, value)
                if place != ("id",):
                    changed["id"] = f"{kind}-{number}-{wrong}"
                yield changed


@pytest.fixture(scope="module")
def changes(tmp_path_factory):
    lines = [json.dumps(record) for record in every_change()]
    return lines, *read(tmp_path_factory.mktemp("hostile"), lines)


def test_every_record_is_kept_or_refused_with_one_line_that_says_where(changes):
    lines, records, refused = changes
    unique = {json.loads(line)["id"] for line in lines if isinstance(json.loads(line)["id"], str)}
    assert len(lines) > 1000
    assert len(records) > len(unique) / 6
    assert len(records) + len(refused) >= len(lines) - 3 * len(KINDS)  # some changes make ids equal
    for line in refused:
        assert re.search(r"records\.jsonl:\d+: not a record, left out \(.*\)$", line)
        assert len(line) < 600


def test_null_is_what_was_not_measured_and_never_a_reason_to_refuse(tmp_path):
    required = {("schema",), ("kind",), ("id",), ("status",)}
    inside = {"findings", "missing", "unsupported", "rounds", "rows", "samples", "epochs", "test_by_angle"}
    for kind, good in KINDS.items():
        free = [place for place in places(good) if place not in required and not inside & set(place[:-1])]
        lines = [json.dumps({**with_value(good, place, None), "id": f"{n}"}) for n, place in enumerate(free)]
        records, refused = read(tmp_path / kind, lines)
        assert len(records) == len(lines)
        assert refused == []


def executes_nothing(page):
    return "<script>alert" not in page and "<img" not in page and "&lt;script&gt;alert(1)" in page


def test_a_page_of_every_changed_record_executes_nothing(changes):
    _, records, _ = changes
    with undrawn_panels(plotted=True):  # values that are wrong may reach the axes
        assert executes_nothing(render([*every_record(), *records]))


def test_the_figures_of_records_with_markup_execute_nothing(tmp_path):
    records, _ = read(tmp_path, map(json.dumps, every_change([SCRIPT])))
    assert len(records) > 50
    page = render(records)
    assert executes_nothing(page)
    panels = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert any("&lt;script&gt;alert(1)" in panel for panel in panels)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_of_one_record_with_nothing_in_it(kind, tmp_path):
    good = KINDS[kind]
    bare = {name: good[name] for name in ("schema", "kind", "id", "status")}
    empty = {name: {} if isinstance(value, dict) else value for name, value in good.items()}
    for number, record in enumerate((bare, empty)):
        records, refused = read(tmp_path / str(number), [json.dumps(record)])
        assert refused == []
        if kind != "twin":
            assert "unknown processor" in render(records)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def records_with_anything_anywhere(draw):
    good = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    for _ in range(draw(st.integers(1, 4))):
        good = with_value(good, draw(st.sampled_from(list(places(good)))), draw(json_values))
    return good


@settings(max_examples=300, deadline=None)
@given(changed=st.lists(records_with_anything_anywhere(), max_size=4))
def test_frames_hold_numbers_in_range_and_printable_texts(changed, tmp_path_factory):
    records, refused = read(tmp_path_factory.mktemp("any"), [json.dumps(record) for record in changed])
    data = frames(records)
    assert len(data.costs) + len(data.runs) <= len(records)
    assert len(records) + len(refused) <= len(changed)
    for frame in (data.costs, data.runs, data.epochs, data.twins):
        for name, column in frame.items():
            if column.dtype == float:
                known = column.dropna()
                assert (known.abs() < LARGEST).all(), name
            for value in column:
                if isinstance(value, str):
                    value.encode()
                    assert "\0" not in value
                    assert len(value) <= LONGEST_TEXT + 40
    assert (data.costs["seconds"].dropna() > 0).all()


def test_ten_megabytes_of_message_are_cut_and_counted(tmp_path):
    record = failed_record("x" * 10_000_000)
    records, refused = read(tmp_path, [json.dumps(record)])
    assert refused == []
    [message] = frames(records).costs["message"]
    assert message.startswith("xxx")
    assert message.endswith("(10,000,000 characters)")
    assert len(message) < 1.1 * LONGEST_TEXT
    assert len(render(records)) < 2e6


def test_names_are_cut_shorter_and_cannot_change_the_direction_of_a_line():
    record = cost_record(variant="long" * 100, implementation="a\u202eb\x00c\ud800")
    row = frames([record]).costs.iloc[0]
    assert row["variant"] == "long" * 6 + "…"
    assert len(row["id"]) == LONGEST_NAME + 1
    assert row["implementation"] == "a\ufffdb\ufffdc\ufffd"
    render([record]).encode()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"schema": 3, "kind": "cost", "id": "x", "status": "ok"}', "unknown schema 3; allowed: 1, 2"),
        ('{"schema": 2, "kind": "cost", "id": "x", "status": "ok", "parameters": Infinity}', "not strict JSON"),
        ('{"schema": 2, "kind": "cost", "id": "x", "status": "ok", "parameters": 1e999}', "parameters is inf; allowed"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps({"schema": "9" * 10**7, "kind": "cost", "id": "x", "status": "ok"}), "unknown schema '9999"),
        (json.dumps({**cost_record(), "seconds": {"rounds": [[0.1, 0]]}}), "seconds.rounds is [[0.1, 0]]; allowed"),
        (json.dumps({**cost_record(), "seconds": {"median": "fast"}}), "seconds.median is 'fast'; allowed: a number"),
    ],
)
def test_what_is_refused_says_what_is_allowed_on_one_short_line(tmp_path, line, reason):
    records, refused = read(tmp_path, [json.dumps(failed_record("kept")), line])
    assert [record["message"] for record in records] == ["kept"]
    [said] = refused
    assert reason in said
    assert "\n" not in said
    assert len(said) < 600


def test_a_part_of_a_record_cannot_pass_for_another():
    failed = failed_record("it broke")
    for part in ("case", "provenance"):
        failed[part] |= {"status": "ok", "seconds": 1e-9, "machine": "mine", "id": "other", "message": "fine"}
    row = frames([failed]).costs.iloc[0]
    assert (row["status"], row["machine"], row["id"], row["message"]) == (
        "failed",
        "Made-up CPU, 2 cores",
        failed["id"],
        "it broke",
    )
    assert math.isnan(row["seconds"])


def test_versions_mixed_in_one_file_are_all_shown():
    new, before = cost_record(variant="full"), old(cost_record(variant="separable"))
    data = frames([before, new, {**before, "id": "again"}])
    assert data.costs["variant"].tolist() == ["separable", "full", "separable"]
    assert not data.costs["seconds"].map(math.isnan).any()
