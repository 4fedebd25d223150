import json
import math

import pandas as pd
import pytest

from reports.figures.history import trend
from reports.frames.history import HISTORY_COLUMNS, history, multiples_of_first, regressions
from reports.words.of_history import trend as takeaway

A, B, C = (letter * 40 for letter in "abc")
FULL, SEPARABLE = (
    f"suites.bench_layers.Forward.time_pass('cpu', '{variant}', 8, 16, 1)" for variant in ("full", "separable")
)


def write_asv(directory, commit, date, medians, version="1", machine="here"):
    """Write a file as asv 0.6 does: one benchmark over device, variant, |H|, channels and batch."""
    parameters = [["'cpu'"], ["'full'", "'separable'"], ["8"], ["16"], ["1"]]
    low, high = ([value and value * factor for value in medians] for factor in (0.99, 1.01))
    content = {
        "commit_hash": commit,
        "date": date,
        "result_columns": ["result", "params", "version", "started_at", "duration", "stats_q_25", "stats_q_75"],
        "results": {"suites.bench_layers.Forward.time_pass": [medians, parameters, version, 5000, 1.0, low, high]},
    }
    path = directory / machine / f"{commit[:8]}-env.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def write_pytest(directory, number, commit, hour, median):
    name = "benchmarks/test_suites.bench_layers.py::test_pass[conv-full-H8-C16-B1-forward_backward-cpu]"
    content = {
        "machine_info": {"cpu": "Made-up CPU", "cores": 2, "gpu": None},
        "commit_info": {"id": commit},
        "datetime": f"2030-01-01T{hour:02}:00:00+00:00",
        "failed": ["benchmarks/test_suites.bench_layers.py::test_pass[conv-plain-H1-C16-B1-forward-cpu]"],
        "benchmarks": [
            {
                "fullname": name,
                "stats": {"median": median, "q1": 0.99 * median, "q3": 1.01 * median},
                "extra_info": {"suite_version": "1", "case_id": "x"},
            }
        ],
    }
    path = directory / "Linux" / f"{number:04}_{commit}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def test_a_benchmark_is_a_row_that_says_what_its_point_is(tmp_path):
    write_asv(tmp_path, A, 1000, [1.0, math.nan])
    [(_, row)] = history(tmp_path).iterrows()  # a skipped benchmark has no row
    assert list(row.index) == list(HISTORY_COLUMNS)
    assert (row["suite"], row["machine"], row["commit"], row["date"]) == ("asv", "here", A, "1970-01-01T00:00:01+00:00")
    assert (row["benchmark"], row["quantity"], row["layer"], row["direction"]) == (FULL, "time", "conv", "forward")
    point = [row[name] for name in ("device", "variant", "resolution", "channels", "batch_size")]
    assert point == ["cpu", "full", 8, 16, 1]
    assert (row["value"], row["low"], row["high"], row["status"]) == (1.0, 0.99, 1.01, "ok")
    assert math.isnan(row["ratio"])


def test_what_the_gate_calls_regressed_is_marked_at_its_commit(tmp_path):
    write_asv(tmp_path, A, 1, [1.0, 1.0])
    write_asv(tmp_path, B, 2, [1.5, 1.2])
    write_asv(tmp_path, C, 3, [1.5, 1.2])
    frame = history(tmp_path, factor=1.25)
    [(_, worst)] = regressions(frame).iterrows()
    assert (worst["commit"], worst["benchmark"], worst["ratio"]) == (B, FULL, 1.5)
    assert takeaway(frame) == f"3 commits, 2 benchmarks: 1 regressed (1 at bbbbbbbb); the worst is {FULL}, × 1.50."
    assert regressions(history(tmp_path, factor=1.6)).empty
    assert "none is slower" in takeaway(history(tmp_path, factor=1.6))


def test_another_version_is_another_benchmark_and_another_machine_another_history(tmp_path):
    write_asv(tmp_path, A, 1, [1.0, 1.0])
    write_asv(tmp_path, B, 2, [9.0, 9.0], version="2")
    write_asv(tmp_path, C, 3, [9.0, 9.0], machine="elsewhere")
    frame = history(tmp_path)
    assert not frame["regressed"].any()
    assert frame["ratio"].isna().all()


def test_failures_are_rows_without_a_value_and_hide_no_regression_behind_them(tmp_path):
    write_asv(tmp_path, A, 1, [1.0, 1.0])
    write_asv(tmp_path, B, 2, [None, 1.0])
    write_asv(tmp_path, C, 3, [2.0, 1.0])
    frame = history(tmp_path)
    assert frame.loc[frame["status"] == "failed", "commit"].tolist() == [B]
    assert regressions(frame)["commit"].tolist() == [C]


def test_the_order_of_commits_is_that_of_git_not_of_dates(tmp_path):
    write_asv(tmp_path, A, 3, [1.0, 1.0])
    write_asv(tmp_path, B, 2, [2.0, 1.0])
    assert regressions(history(tmp_path, order=[A, B]))["commit"].tolist() == [B]
    assert regressions(history(tmp_path, order=[B, A])).empty
    assert history(tmp_path, order=[A])["commit"].unique().tolist() == [A, B]  # a commit outside of `order` comes last


def test_runs_of_pytest_benchmark_are_a_history_in_which_the_fastest_of_a_commit_counts(tmp_path):
    for number, (commit, median) in enumerate([(A, 1.0), (B, 2.0), (B, 1.1), (C, 1.6)]):
        write_pytest(tmp_path, number, commit, number, median)
    frame = history(pytest_benchmark=tmp_path)
    ok = frame[frame["status"] == "ok"]
    assert ok["value"].tolist() == [1.0, 1.1, 1.6]
    assert ok["regressed"].tolist() == [False, False, True]
    assert set(ok["machine"]) == {"Made-up CPU, 2 cores"}
    point = ok.iloc[0][["layer", "variant", "direction", "device", "resolution", "channels", "batch_size"]]
    assert point.tolist() == ["conv", "full", "forward_backward", "cpu", 8, 16, 1]
    assert len(frame) - len(ok) == 3


def test_a_benchmark_is_drawn_as_multiples_of_what_it_began_with(tmp_path):
    write_asv(tmp_path, A, 1, [2.0, 5.0])
    write_asv(tmp_path, B, 2, [3.0, 5.0])
    write_asv(tmp_path, C, 3, [30.0, 50.0], version="2")
    table = multiples_of_first(history(tmp_path)).set_index(["variant", "position"])["relative"]
    assert table.xs("full").tolist() == [1.0, 1.5, 1.0]
    assert table.xs("separable").tolist() == [1.0, 1.0, 1.0]


def test_the_figure_has_a_panel_per_suite_and_machine_and_a_cross_at_each_regression(tmp_path):
    write_asv(tmp_path / "asv", A, 1, [2.0, 5.0])
    write_asv(tmp_path / "asv", B, 2, [3.0, 5.0])
    write_pytest(tmp_path / "pytest", 1, A, 1, 1.0)
    frame = history(tmp_path / "asv", tmp_path / "pytest")
    figure = trend(frame, "history")
    assert len(figure.panels) == 2
    assert figure.takeaway == takeaway(frame)
    assert figure.legend == ("full", "separable")
    assert "bbbbbbbb" in figure.panels[0]
    assert figure.data["regressed"].sum() == 1
    calm = trend(history(tmp_path / "asv", tmp_path / "pytest", factor=10), "history")
    assert figure.panels[0].count("<use") == calm.panels[0].count("<use") + 1
    assert trend(history(), "history").panels == ()


def test_no_results_are_an_empty_frame_with_its_columns(tmp_path):
    frame = history(tmp_path, tmp_path)
    assert frame.empty
    assert list(frame) == list(HISTORY_COLUMNS)
    assert multiples_of_first(frame).empty
    assert takeaway(frame).startswith("No history was measured")


@pytest.mark.parametrize(
    "content", ["{}", "[]", "nonsense", '{"results": 3}', '{"results": {"x": [["y"], [], "1", 5]}}']
)
def test_a_file_of_neither_suite_is_one_line_that_names_it(tmp_path, content):
    path = tmp_path / "here" / "x.json"
    path.parent.mkdir()
    path.write_text(content)
    for places in ({"asv": tmp_path}, {"pytest_benchmark": tmp_path}):
        with pytest.raises(ValueError, match=f"^{path} is not a ") as caught:
            history(**places)
        assert "\n" not in str(caught.value)


def test_names_that_say_nothing_of_a_point_are_kept_as_they_are(tmp_path):
    write_asv(tmp_path, A, 1, [1.0, 1.0])
    path = tmp_path / "here" / "aaaaaaaa-env.json"
    path.write_text(path.read_text().replace("suites.bench_layers.Forward.time_pass", "other.time_it"))
    frame = history(tmp_path)
    assert frame["quantity"].tolist() == ["time_it", "time_it"]
    assert frame["variant"].tolist() == ["", ""]
    assert multiples_of_first(frame, "time_it").empty


def test_devices_are_never_drawn_together(tmp_path):
    write_asv(tmp_path, A, 1, [1.0, 1.0])
    write_asv(tmp_path, B, 2, [1.1, 1.2])
    here = history(tmp_path)
    gpu = here.assign(device="cuda", benchmark=here["benchmark"].str.replace("cpu", "cuda"), value=here["value"] / 9)
    figure = trend(pd.concat([here, gpu], ignore_index=True), "history")
    assert len(figure.panels) == 2
    assert "asv on here, cuda" in figure.panels[1]
    assert "n = 1 benchmarks" in figure.caption  # not 2, one of each device
