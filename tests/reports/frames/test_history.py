import json
import math
import re

import numpy as np
import pandas as pd
import pytest

from benchmarks.suites import gate
from reports.figures.history import trend
from reports.frames.history import HISTORY_COLUMNS, history, multiples_of_first, regressions
from reports.page.page import render
from reports.words.of_history import steps
from reports.words.of_history import trend as takeaway

from ..conftest import cost_record

A, B, C = (letter * 40 for letter in "abc")
FULL, SEPARABLE = (
    f"suites.bench_layers.Forward.time_pass('cpu', '{variant}', 8, 16, 1)" for variant in ("full", "separable")
)


def write_asv(directory, commit, date, medians, version="1", machine="here"):
    """Write a file as asv 0.6 does: one benchmark over device, variant, |H|, channels and batch.

    A third median is that of the control.
    """
    variants = ["'full'", "'separable'", "'plain'"][: len(medians)]
    parameters = [["'cpu'"], variants, ["8"], ["16"], ["1"]]
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


PASS = "benchmarks/test_suites.bench_layers.py::test_pass[conv-full-H8-C16-B1-forward_backward-cpu]"
PLAIN = "benchmarks/test_suites.bench_layers.py::test_pass[conv-plain-H1-C16-B1-forward-cpu]"


def write_pytest(directory, number, commit, hour, median, plain=None):
    """Write a file as the suite does, of one run: a layer, and a plain convolution that failed if it has no median."""
    medians = {PASS: median, **({} if plain is None else {PLAIN: plain})}
    content = {
        "machine_info": {"cpu": "Made-up CPU", "cores": 2, "gpu": None},
        "commit_info": {"id": commit},
        "datetime": f"2030-01-01T{hour:02}:00:00+00:00",
        "failed": [PLAIN] if plain is None else [],
        "benchmarks": [
            {
                "fullname": name,
                "stats": {"median": value, "q1": 0.99 * value, "q3": 1.01 * value},
                "extra_info": {"suite_version": "1", "case_id": "x"},
            }
            for name, value in medians.items()
        ],
    }
    path = directory / "Linux" / f"{number:04}_{commit}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


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
    write_asv(tmp_path, A, 1, [1.0, 1.0, 1.0])
    write_asv(tmp_path, B, 2, [1.5, 1.2, 1.0])
    write_asv(tmp_path, C, 3, [1.5, 1.2, 1.0])
    frame = history(tmp_path, factor=1.25)
    [(_, worst)] = regressions(frame).iterrows()
    assert (worst["commit"], worst["benchmark"], worst["ratio"]) == (B, FULL, 1.5)
    assert takeaway(frame) == f"3 commits, 3 benchmarks: 1 regressed (1 at bbbbbbbb); the worst is {FULL}, × 1.50."
    assert regressions(history(tmp_path, factor=1.6)).empty
    assert takeaway(history(tmp_path, factor=1.6)) == "3 commits, 3 benchmarks: none has regressed."


def test_another_version_is_another_benchmark_and_another_machine_another_history(tmp_path):
    write_asv(tmp_path, A, 1, [1.0, 1.0])
    write_asv(tmp_path, B, 2, [9.0, 9.0], version="2")
    write_asv(tmp_path, C, 3, [9.0, 9.0], machine="elsewhere")
    frame = history(tmp_path)
    assert not frame["regressed"].any()
    assert frame["ratio"].isna().all()


def test_failures_are_rows_without_a_value_and_hide_no_regression_behind_them(tmp_path):
    write_asv(tmp_path, A, 1, [1.0, 1.0, 1.0])
    write_asv(tmp_path, B, 2, [None, 1.0, 1.0])
    write_asv(tmp_path, C, 3, [2.0, 1.0, 1.0])
    frame = history(tmp_path)
    assert frame.loc[frame["status"] == "failed", "commit"].tolist() == [B]
    assert regressions(frame)["commit"].tolist() == [C]


def test_the_order_of_commits_is_that_of_git_not_of_dates(tmp_path):
    write_asv(tmp_path, A, 3, [1.0, 1.0, 1.0])
    write_asv(tmp_path, B, 2, [2.0, 1.0, 1.0])
    assert regressions(history(tmp_path, order=[A, B]))["commit"].tolist() == [B]
    assert regressions(history(tmp_path, order=[B, A])).empty
    assert history(tmp_path, order=[A])["commit"].unique().tolist() == [A, B]  # a commit outside of `order` comes last


def test_a_run_that_the_session_repeated_counts_once_with_its_fastest_results(tmp_path):
    for number, (commit, median) in enumerate([(A, 1.0), (B, 2.0), (B, 1.1), (C, 1.6)]):
        write_pytest(tmp_path, number, commit, number, median, plain=1.0)
    layer = history(pytest_benchmark=tmp_path).query("benchmark == @PASS")
    assert layer["value"].tolist() == [1.0, 1.1, 1.6]
    assert layer["regressed"].tolist() == [False, False, True]
    assert layer["position"].tolist() == [0, 1, 2]
    assert set(layer["machine"]) == {"Made-up CPU, 2 cores"}
    point = layer.iloc[0][["layer", "variant", "direction", "device", "resolution", "channels", "batch_size"]]
    assert point.tolist() == ["conv", "full", "forward_backward", "cpu", 8, 16, 1]


def test_where_plain_convolutions_moved_too_a_slower_layer_is_doubtful_and_not_regressed(tmp_path):
    write_pytest(tmp_path, 1, A, 1, 1.0, plain=1.0)
    write_pytest(tmp_path, 2, B, 2, 2.0, plain=2.0)
    frame = history(pytest_benchmark=tmp_path)
    assert regressions(frame).empty
    assert frame.loc[frame["doubtful"], "commit"].tolist() == [B, B]
    doubts = "2 doubtful (2 at bbbbbbbb), because plain convolutions moved as well or were not compared"
    assert takeaway(frame) == f"2 commits, 2 benchmarks: none has regressed; {doubts}."


def test_where_no_plain_convolution_was_compared_a_slower_layer_is_doubtful(tmp_path):
    write_asv(tmp_path, A, 1, [1.0, 1.0])
    write_asv(tmp_path, B, 2, [2.0, 1.0])
    frame = history(tmp_path)
    assert regressions(frame).empty
    assert frame.loc[frame["doubtful"], "benchmark"].tolist() == [FULL]


def made_up_history(seed, runs=14):
    """Return (commit, layer, plain) of runs, two of each commit: noise, steps of the layer, disturbances."""
    draw = np.random.default_rng(seed)
    level = 1.0
    for number in range(runs):
        level *= draw.choice([1.0, 1.0, 1.0, 1.2, 0.7])
        noise, disturbed = np.exp(0.02 * draw.normal(size=2)), draw.choice([1.0, 1.0, 1.0, 1.6])
        yield f"{number // 2:040x}", *(disturbed * noise * [level, 1.0])


def counts(printed):
    """Return how many benchmarks the gate called regressed, and how many doubtful, in each of its judgements."""
    return re.findall(r"compared, (\d+) regressed, (\d+) doubtful", printed)


def counts_of_page(frame):
    """Return the same numbers of a frame, for each run with something to compare with."""
    judged = frame[frame["ratio"].notna()].groupby("position")[["regressed", "doubtful"]].sum()
    return [tuple(map(str, row)) for row in judged.to_numpy()]


def test_the_gate_and_the_page_agree_about_every_run_of_pytest_benchmark(tmp_path, capsys):
    found = set()
    for seed in range(20):
        runs, saved, words = list(made_up_history(seed)), [], []
        while runs:  # as the session "bench" of noxfile.py does
            before, new, repeat = list(saved), [], True
            while repeat:
                commit, *medians = runs.pop(0)
                new.append(write_pytest(tmp_path / f"{seed}", len(saved), commit, len(saved), *medians))
                saved.append(new[-1])
                status = gate.main(["pytest-benchmark", *map(str, new), "--factor=1.25", "--before", *map(str, before)])
                printed = counts(capsys.readouterr().out)
                repeat = status in (1, 3) and len(new) == 1 and runs and runs[0][0] == commit
            words += printed
        assert counts_of_page(history(pytest_benchmark=tmp_path / f"{seed}")) == words
        found |= set(words)
    assert {("0", "0"), ("1", "0"), ("0", "2")} <= found


def test_the_gate_and_the_page_agree_about_every_commit_of_asv(tmp_path, capsys):
    for seed in range(10):
        for number, (_, *medians) in enumerate(made_up_history(seed)):
            write_asv(tmp_path / f"{seed}", f"{number:08x}{32 * '0'}", number, medians, machine=f"machine{number % 2}")
        gate.main(["asv", str(tmp_path / f"{seed}"), "--factor=1.25"])
        words = counts(capsys.readouterr().out)
        assert counts_of_page(history(tmp_path / f"{seed}")) == words
        assert len(words) == 12  # all but the first of each machine


def test_a_benchmark_is_drawn_as_multiples_of_what_it_began_with(tmp_path):
    write_asv(tmp_path, A, 1, [2.0, 5.0])
    write_asv(tmp_path, B, 2, [3.0, 5.0])
    write_asv(tmp_path, C, 3, [30.0, 50.0], version="2")
    table = multiples_of_first(history(tmp_path)).set_index(["variant", "position"])["relative"]
    assert table.xs("full").tolist() == [1.0, 1.5, 1.0]
    assert table.xs("separable").tolist() == [1.0, 1.0, 1.0]


def test_the_figure_has_a_panel_per_suite_and_machine_and_a_cross_at_each_regression(tmp_path):
    write_asv(tmp_path / "asv", A, 1, [2.0, 5.0, 1.0])
    write_asv(tmp_path / "asv", B, 2, [3.0, 5.0, 1.0])
    write_pytest(tmp_path / "pytest", 1, A, 1, 1.0)
    frame = history(tmp_path / "asv", tmp_path / "pytest")
    figure = trend(frame, "history")
    assert len(figure.panels) == 2
    assert figure.takeaway == takeaway(frame)
    assert figure.legend == ("plain", "full", "separable")
    assert "bbbbbbbb" in figure.panels[0]
    assert figure.data["regressed"].sum() == 1
    calm = trend(history(tmp_path / "asv", tmp_path / "pytest", factor=10), "history")
    assert figure.panels[0].count("<use") == calm.panels[0].count("<use") + 1
    assert trend(history(), "history").panels == ()


PARAMETERS = [["'cpu'"], ["'plain'", "'full'"], ["8"], ["8", "16", "128"], ["1"]]


def write_long_history(directory, *, step=1.0, plain=1.0):
    """Write twenty commits with three controls and three layers; the tenth changes both by a factor."""
    draw = np.random.default_rng(0)
    for number in range(20):
        write_asv(directory, f"{number:08x}{32 * '0'}", number, [1.0, 1.0])
        path = directory / "here" / f"{number:08x}-env.json"
        content = json.loads(path.read_text())
        levels = [plain if number >= 10 else 1.0] * 3 + [step if number >= 10 else 1.0] * 3
        medians = [level * math.exp(0.01 * draw.normal()) for level in levels]
        [name] = content["results"]
        content["results"][name] = [medians, PARAMETERS, "1", 5000, 1.0, medians, medians]
        path.write_text(json.dumps(content))


@pytest.mark.usefixtures("no_figures")
def test_the_page_names_and_draws_every_step_of_the_history(tmp_path):
    write_long_history(tmp_path / "step", step=0.8)
    write_long_history(tmp_path / "calm")
    frame, calm = history(tmp_path / "step"), history(tmp_path / "calm")
    [sentence] = steps(frame)
    assert sentence.startswith("asv on here: time of conv full forward changed to × 0.")
    assert sentence.endswith("] after 00000009 and not after 0000000a.")
    assert steps(calm) == []
    assert sentence in render([cost_record(variant="plain")], frame)
    with_band, without = (trend(each, "history").panels[0] for each in (frame, calm))
    assert (with_band.count("opacity="), without.count("opacity=")) == (1, 0)


def test_a_step_that_plain_convolutions_share_is_said_to_be_the_machines(tmp_path):
    write_long_history(tmp_path, step=1.3, plain=1.3)
    [sentence] = steps(history(tmp_path))
    assert sentence.startswith("asv on here: the machine changed: plain convolutions to × 1.")


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
