"""Tests of the gate: runs of the suites are counted and judged correctly."""

import json
import math
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.records.known_changes import NOTHING_KNOWN, Ignored, Known, Threshold
from benchmarks.records.suite_results import Commit, commit_order, read_asv, read_pytest_benchmark
from benchmarks.statistics.regression import Result
from benchmarks.suites import gate
from benchmarks.suites.gate import Judgement, main

NAN = math.nan
FACTOR = ["--factor", "1.1"]


def result(value: float | None, spread: float = 0.0, version: str = "1") -> Result:
    certain = NAN if value is None else value
    return Result(value, certain - spread, certain + spread, version)


def judge(
    after: Mapping[str, Result], history: Sequence[Mapping[str, Result]], factor: float, known: Known = NOTHING_KNOWN
) -> Judgement:
    """Judge results of a run; the earlier runs have the hashes 0000…, 1111…, and so on, and this one ffff…."""
    runs = [Commit(f"{n % 15:x}" * 40, "here", n, results) for n, results in enumerate(history)]
    return gate.judge(Commit("f" * 40, "here", len(runs), after), runs, factor, known)


class TestJudge:
    def test_a_first_run_compares_nothing_and_says_so(self) -> None:
        judgement = judge({"a": result(1.0)}, [], 1.1)
        assert judgement.word == "could not compare"
        assert judgement.lines[-1] == "first run on this machine: kept, nothing to compare with yet"

    @pytest.mark.parametrize("results", [{}, {"a": result(NAN)}], ids=["empty", "all skipped"])
    def test_no_number_is_measured_nothing(self, results: dict[str, Result]) -> None:
        assert judge(results, [], 1.1).word == "measured nothing"

    def test_nothing_in_common_is_no_comparison(self) -> None:
        judgement = judge({"a": result(1.0)}, [{"b": result(1.0)}], 1.1)
        assert judgement.word == "could not compare"
        assert judgement.lines[-1].startswith("no benchmark has an earlier result of its version on this machine")

    def test_a_failure_is_failed_and_named(self) -> None:
        judgement = judge({"a": result(None), "b": result(1.0)}, [], 1.1)
        assert judgement.word == "failed"
        assert judgement.lines == ("failed: a", "1 measured, 1 failed, 0 skipped")

    def test_a_failure_outweighs_a_regression_and_hides_none(self) -> None:
        judgement = judge({"a": result(None), "b": result(2.0)}, [{"a": result(1.0), "b": result(1.0)}], 1.1)
        assert judgement.word == "failed"
        assert "regressed: b: 1 → 2, × 2; a step is × 1.1 (1 earlier result)" in judgement.lines

    @pytest.mark.parametrize(
        ("before", "after", "word"),
        [
            (result(1.0, 0.01), result(1.2, 0.01), "regressed"),
            (result(1.0, 0.01), result(1.09, 0.01), "fine"),  # within the noise floor
            (result(1.0, 0.2), result(1.2, 0.2), "fine"),  # the quartiles overlap
            (result(1.2, 0.01), result(1.0, 0.01), "fine"),  # faster
            (result(0.0), result(1.0), "regressed"),
            (result(0.0), result(0.0), "fine"),
        ],
    )
    def test_slower_beyond_the_factor_and_the_quartiles_is_regressed(
        self, before: Result, after: Result, word: str
    ) -> None:
        assert judge({"a": after}, [{"a": before}], 1.1).word == word

    def test_other_versions_are_not_compared(self) -> None:
        assert judge({"a": result(2.0, version="2")}, [{"a": result(1.0)}], 1.1).word == "could not compare"

    def test_rounding_errors_are_not_judged(self) -> None:
        name = "bench_layers.Cost.track_equivariance_error('cpu')"
        before, after = {"a": result(1.0), name: result(1e-7)}, {"a": result(1.0), name: result(3e-7)}
        assert judge(after, [before], 1.1).word == "fine"


FULL = "test_bench_layers.py::test_pass[conv-full-H4-C8-B1-forward-cpu]"


def plain(number: int) -> str:
    """Return the name of a time of torch's own convolution."""
    return f"test_bench_layers.py::test_pass[conv-plain-H1-C{number}-B1-forward-cpu]"


def history(runs: int, spread: float, *names: str, seed: int = 0) -> list[dict[str, Result]]:
    rng = np.random.default_rng(seed)
    return [{name: result(float(np.exp(spread * rng.normal())), 0.001) for name in names} for _ in range(runs)]


class TestHistory:
    def test_a_benchmark_is_judged_by_its_own_past_spread(self) -> None:
        quiet, loud = (history(8, spread, "a") for spread in (0.01, 0.1))
        assert judge({"a": result(1.15, 0.001)}, quiet, 1.25).word == "regressed"
        assert judge({"a": result(1.15, 0.001)}, loud, 1.25).word == "fine"
        assert judge({"a": result(1.15, 0.001)}, quiet[:3], 1.25).word == "fine"  # the spread is not known yet

    def test_a_result_is_compared_with_the_present_level(self) -> None:
        slow = [{"a": result(2 * run["a"].value, 0.001)} for run in history(8, 0.01, "a") if run["a"].value]
        after_a_slowdown, after_its_mending = [*history(8, 0.01, "a"), *slow], [*slow, *history(8, 0.01, "a")]
        assert judge({"a": result(2.0, 0.001)}, after_a_slowdown, 1.25).word == "fine"
        assert judge({"a": result(2.0, 0.001)}, after_its_mending, 1.25).word == "regressed"

    def test_where_plain_convolutions_moved_the_machine_moved(self) -> None:
        names = [FULL, *map(plain, range(4))]
        after = {name: result(2.0, 0.001) for name in names}
        for before in (history(1, 0.0, *names), history(8, 0.02, *names)):
            judgement = judge(after, before, 1.25)
            assert judgement.word == "undecided"
            assert any(line.startswith("unchanged code moved: test_bench") for line in judgement.lines)
            assert any(line.startswith(f"doubtful: {FULL}: ") for line in judgement.lines)
            assert "5 compared, 0 regressed, 5 doubtful" in judgement.lines
        faster = judge({**after, plain(0): result(0.5, 0.001)}, history(8, 0.02, *names), 1.25)
        assert faster.word == "undecided"

    @pytest.mark.parametrize(("ratio", "doubtful"), [(2.0, 1), (1.0, 0)])
    def test_times_without_a_plain_convolution_are_undecided(self, ratio: float, doubtful: int) -> None:
        judgement = judge({FULL: result(ratio, 0.001)}, history(8, 0.01, FULL, plain(0)), 1.25)
        assert judgement.word == "undecided"
        assert f"1 compared, 0 regressed, {doubtful} doubtful" in judgement.lines
        assert gate.NO_CONTROL in judgement.lines

    def test_counts_need_no_plain_convolution(self) -> None:
        count = "suites.bench_layers.Cost.track_macs('cpu', 'full', 8)"
        for value, word in ((110.0, "regressed"), (100.0, "fine")):
            assert judge({count: result(value)}, [{count: result(100.0)}] * 5, 1.05).word == word

    @pytest.mark.parametrize(
        ("name", "old", "new", "text"),
        [
            (FULL, 0.0138, 0.0206, "13.8 → 20.6 ms, × 1.49"),
            (FULL, 1.5, 3.0, "1.5 → 3 s, × 2"),
            ("suites.bench_layers.Cost.track_peak_bytes('cpu', 'full', 8)", 2**20, 2**21, "1 → 2 MiB, × 2"),
            ("suites.bench_layers.Cost.track_macs('cpu', 'full', 8)", 1e6, 2e6, "1 → 2 M MACs, × 2"),
        ],
    )
    def test_a_line_has_units(self, name: str, old: float, new: float, text: str) -> None:
        before, after = {name: result(old), plain(0): result(1.0)}, {name: result(new), plain(0): result(1.0)}
        [line] = [line for line in judge(after, [before], 1.1).lines if line.startswith("regressed: ")]
        assert line.startswith(f"regressed: {name}: {text}; a step is × 1.1 (1 earlier result)")

    def test_counts_are_judged_on_any_machine(self) -> None:
        count = "suites.bench_layers.Cost.track_macs('cpu', 'full', 8)"
        before = [{count: result(100.0), plain(0): result(1.0)}] * 5
        assert judge({count: result(110.0), plain(0): result(2.0)}, before, 1.25).word == "regressed"

    def test_one_layer_that_is_slower_is_regressed_where_plain_ones_are_not(self) -> None:
        names = ["a", *map(plain, range(4))]
        after = {**{name: result(1.0, 0.001) for name in names}, "a": result(1.3, 0.001)}
        assert judge(after, history(8, 0.02, *names), 1.25).word == "regressed"


class TestKnown:
    def test_a_threshold_of_its_own_makes_a_step_of_a_benchmark_larger(self) -> None:
        known = Known(thresholds=(Threshold("a", 0.2, "it allocates"),))
        before = history(8, 0.01, "a")
        assert judge({"a": result(1.15, 0.001)}, before, 1.25).word == "regressed"
        assert judge({"a": result(1.15, 0.001)}, before, 1.25, known).word == "fine"
        larger = judge({"a": result(1.3, 0.001)}, before, 1.25, known)
        assert larger.word == "regressed"
        assert any(line.endswith("a step is × 1.2 (8 earlier results); it allocates") for line in larger.lines)

    def test_an_intended_step_is_ignored_with_its_reason(self) -> None:
        known = Known(ignored=(Ignored("fffffff", "a", "memory for speed"),))
        results = {"a": result(1.5, 0.001), "b": result(1.0, 0.001)}
        judgement = judge(results, history(8, 0.01, "a", "b"), 1.25, known)
        assert judgement.word == "fine"
        [line] = [line for line in judgement.lines if line.startswith("ignored: a: ")]
        assert line.endswith("; memory for speed")
        assert judge({**results, "b": result(1.5, 0.001)}, history(8, 0.01, "a", "b"), 1.25, known).word == "regressed"

    def test_later_runs_are_compared_with_the_level_after_an_intended_step(self) -> None:
        known = Known(ignored=(Ignored("8888888", "a", "memory for speed"),))
        before = [*history(8, 0.01, "a"), {"a": result(1.5, 0.001)}]
        assert judge({"a": result(1.5, 0.001)}, before, 1.25, known).word == "fine"
        lines = judge({"a": result(2.25, 0.001)}, before, 1.25, known).lines
        assert "regressed: a: 1.5 → 2.25, × 1.5; a step is × 1.25 (1 earlier result)" in lines


def write_asv(directory: Path, commit: str, date: int, values: list[float | None], started_at: int = 5000) -> None:
    """Write a results file as asv 0.6 does, with one timed benchmark that has a parameter."""
    quartiles = [value and value - 0.01 for value in values], [value and value + 0.01 for value in values]
    parameters = [[repr(f"p{i}") for i in range(len(values))]]
    content = {
        "commit_hash": commit,
        "date": date,
        "result_columns": ["result", "params", "version", "started_at", "duration", "stats_q_25", "stats_q_75"],
        "results": {"time_it": [values, parameters, "1", started_at, 1.0, *quartiles]},
    }
    path = directory / "machine" / f"{commit[:8]}-env.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    (directory / "machine" / "machine.json").write_text("{}")
    (directory / "benchmarks.json").write_text("{}")


def commits_of_one_second(directory: Path) -> list[str]:
    """Make a repository of three empty commits, and return their hashes, oldest first."""

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        command = ["git", "-C", str(directory), *identity, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    hashes = []
    for number in range(3):
        git("commit", "-q", "--allow-empty", "-m", str(number), "--date=2030-01-01T00:00:00")
        hashes.append(git("rev-parse", "HEAD"))
    return hashes


OLD, NEW = "a" * 40, "b" * 40


class TestAsv:
    def test_files_are_read_as_asv_writes_them(self, tmp_path: Path) -> None:
        write_asv(tmp_path, OLD, 1, [1.0, None, NAN])
        (commit,) = read_asv(tmp_path)
        assert commit.hash == OLD
        assert list(commit.results) == ["time_it('p0')", "time_it('p1')", "time_it('p2')"]
        assert commit.results["time_it('p0')"] == Result(1.0, 0.99, 1.01, "1")
        assert [value.value is None for value in commit.results.values()] == [False, True, False]

    def test_a_benchmark_that_failed_everywhere_counts_as_failures(self, tmp_path: Path) -> None:
        write_asv(tmp_path, OLD, 1, [None, None])
        path = next(tmp_path.glob("*/*-env.json"))
        content = json.loads(path.read_text())
        content["results"]["time_it"] = [None, [["'p0'", "'p1'"]], "1", 5000]  # asv writes one None for all
        path.write_text(json.dumps(content))
        (commit,) = read_asv(tmp_path)
        assert [value.value for value in commit.results.values()] == [None, None]

    def test_commits_of_one_second_are_judged_in_the_order_of_git(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        hashes = commits_of_one_second(tmp_path)
        assert commit_order(tmp_path) == hashes
        assert commit_order(tmp_path / "nowhere") == []
        for commit, value in zip(hashes, [1.0, 2.0, 1.0], strict=True):
            write_asv(tmp_path / "asv", commit, 1, [value])
        monkeypatch.chdir(tmp_path)
        assert main(["asv", "asv", *FACTOR]) == 1
        assert f"{hashes[1][:8]} after {hashes[0][:8]} on machine: regressed" in capsys.readouterr().out

    def test_each_commit_is_compared_with_the_one_before(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for commit, date, value in [(OLD, 1, 1.0), ("c" * 40, 3, 1.5), (NEW, 2, 1.0)]:
            write_asv(tmp_path, commit, date, [value])
        assert main(["asv", str(tmp_path), *FACTOR]) == 1
        printed = capsys.readouterr().out
        assert "bbbbbbbb after aaaaaaaa on machine: fine" in printed
        assert "cccccccc after bbbbbbbb on machine: regressed" in printed

    def test_the_order_of_named_commits_counts(self, tmp_path: Path) -> None:
        write_asv(tmp_path, OLD, 1, [1.0])
        write_asv(tmp_path, NEW, 2, [2.0])
        assert main(["asv", str(tmp_path), *FACTOR, "--commits", OLD, NEW]) == 1
        assert main(["asv", str(tmp_path), *FACTOR, "--commits", NEW, OLD]) == 0

    def test_a_named_commit_without_results_is_measured_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_asv(tmp_path, OLD, 1, [1.0])
        assert main(["asv", str(tmp_path), *FACTOR, "--commits", OLD, NEW]) == 2
        assert capsys.readouterr().out == "this run has no result for bbbbbbbb\nmeasured nothing\n"

    def test_results_of_earlier_runs_do_not_count(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write_asv(tmp_path, OLD, 1, [1.0], started_at=5000)
        for since, words in (("4.9", ["could not compare", "measured"]), ("5.1", ["measured nothing"] * 2)):
            for option, word in zip(([], ["--measure-only"]), words, strict=True):
                status = main(["asv", str(tmp_path), *FACTOR, "--since", since, *option])
                assert capsys.readouterr().out.splitlines()[-1] == word
                assert status == (0 if word == "measured" else 2)

    def test_the_base_of_a_comparison_has_no_verdict_of_its_own(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_asv(tmp_path, OLD, 1, [1.0])
        write_asv(tmp_path, NEW, 2, [1.0])
        assert main(["asv", str(tmp_path), *FACTOR, "--commits", OLD, NEW]) == 0
        printed = capsys.readouterr().out
        assert printed.startswith("aaaaaaaa on machine: the base, with which the next commit is compared\n")
        assert "could not compare" not in printed

    def test_a_commit_is_compared_with_all_earlier_runs(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for n, value in enumerate((1.0, 1.3, 0.9, 1.2, 1.1)):
            write_asv(tmp_path, f"{n}" * 40, n, [value], started_at=5000)
        write_asv(tmp_path, NEW, 9, [1.3], started_at=6000)
        assert main(["asv", str(tmp_path), *FACTOR, "--since", "5.5"]) == 0
        printed = capsys.readouterr().out
        assert "bbbbbbbb after 44444444 on machine: fine" in printed
        assert printed.count(" on machine: ") == 1

    def test_points_outside_the_patterns_do_not_count(self, tmp_path: Path) -> None:
        write_asv(tmp_path, OLD, 1, [1.0, 1.0])
        write_asv(tmp_path, NEW, 2, [1.0, 2.0])
        assert main(["asv", str(tmp_path), *FACTOR]) == 1
        assert main(["asv", str(tmp_path), *FACTOR, "-b", "time_it.*p0"]) == 0
        assert main(["asv", str(tmp_path), *FACTOR, "-b", "other"]) == 2

    def test_another_file_is_an_error_in_one_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "machine").mkdir()
        (tmp_path / "machine" / "x.json").write_text("[]")
        assert main(["asv", str(tmp_path), *FACTOR]) == 2
        assert capsys.readouterr().err.count("\n") == 1


def write_pytest_benchmark(
    path: Path, median: float, failed: list[str] | None = None, cpu: str = "one", day: int = 1
) -> Path:
    benchmark: dict[str, Any] = {
        "fullname": "benchmarks/suites/test_bench_layers.py::test_pass[a]",
        "stats": {"median": median, "q1": median - 0.01, "q3": median + 0.02},
        "extra_info": {"case_id": "0123", "suite_version": "2.2"},
    }
    about = {"machine_info": {"cpu": cpu, "cores": 2}, "commit_info": {"id": OLD}, "datetime": f"2030-01-{day:02}"}
    path.write_text(json.dumps({"benchmarks": [benchmark], "failed": failed or [], **about}))
    return path


class TestPytestBenchmark:
    def test_a_file_is_read_as_the_suite_writes_it(self, tmp_path: Path) -> None:
        results = read_pytest_benchmark(write_pytest_benchmark(tmp_path / "1.json", 1.0))
        assert results == {"benchmarks/suites/test_bench_layers.py::test_pass[a]": Result(1.0, 0.99, 1.02, "2.2 0123")}

    def test_a_run_is_compared_with_the_one_before(self, tmp_path: Path) -> None:
        before, after = (str(write_pytest_benchmark(tmp_path / f"{x}.json", x)) for x in (1.0, 1.5))
        assert main(["pytest-benchmark", *FACTOR, after, "--before", before]) == 1
        assert main(["pytest-benchmark", *FACTOR, before, "--before", after]) == 0
        assert main(["pytest-benchmark", *FACTOR, after]) == 2
        assert main(["pytest-benchmark", *FACTOR]) == 2

    def test_what_is_only_measured_is_not_compared(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before, after = (str(write_pytest_benchmark(tmp_path / f"{x}.json", x)) for x in (1.0, 1.5))
        assert main(["pytest-benchmark", *FACTOR, after, "--before", before, "--measure-only"]) == 0
        assert (
            capsys.readouterr().out == "aaaaaaaa on one, 2 cores: measured\n1 measured, 0 failed, 0 skipped\nmeasured\n"
        )
        failed = str(write_pytest_benchmark(tmp_path / "failed.json", 1.0, failed=["b"]))
        assert main(["pytest-benchmark", *FACTOR, failed, "--measure-only"]) == 2
        assert main(["pytest-benchmark", *FACTOR, "--measure-only"]) == 2

    def test_all_earlier_runs_count(self, tmp_path: Path) -> None:
        before = [
            str(write_pytest_benchmark(tmp_path / f"{n}.json", value, day=n + 1))
            for n, value in enumerate((1.0, 1.3, 0.9, 1.2, 1.1))
        ]
        after = str(write_pytest_benchmark(tmp_path / "after.json", 1.3, day=9))
        assert main(["pytest-benchmark", *FACTOR, after, "--before", *before]) == 0
        assert main(["pytest-benchmark", *FACTOR, after, "--before", before[0]]) == 1

    def test_machines_are_never_mixed(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before = write_pytest_benchmark(tmp_path / "before.json", 1.0, cpu="one")
        after = write_pytest_benchmark(tmp_path / "after.json", 1.5, cpu="another")
        assert main(["pytest-benchmark", *FACTOR, str(after), "--before", str(before)]) == 2
        printed = capsys.readouterr().out
        assert "results of different machines are not compared: one, 2 cores against another, 2 cores" in printed
        same = write_pytest_benchmark(tmp_path / "same.json", 1.5, cpu="another")
        assert main(["pytest-benchmark", *FACTOR, str(after), "--before", str(before), str(same)]) == 0
        assert "1 of other machines left out, on another, 2 cores: fine" in capsys.readouterr().out
        assert main(["pytest-benchmark", *FACTOR, str(after), str(before)]) == 2

    def test_the_fastest_repetition_counts(self, tmp_path: Path) -> None:
        before, disturbed, again = (str(write_pytest_benchmark(tmp_path / f"{x}.json", x)) for x in (1.0, 3.0, 1.01))
        assert main(["pytest-benchmark", *FACTOR, disturbed, again, "--before", before]) == 0

    def test_failed_tests_are_failures(self, tmp_path: Path) -> None:
        file = write_pytest_benchmark(
            tmp_path / "1.json", 1.0, failed=["benchmarks/suites/test_bench_layers.py::test_pass[b]"]
        )
        assert main(["pytest-benchmark", *FACTOR, str(file)]) == 2
