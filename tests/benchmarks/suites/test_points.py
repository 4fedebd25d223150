"""Tests of the points of the two suites, and of asv's benchmarks."""

import itertools
import json
import math
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks.records.outcome import InvalidResult
from benchmarks.records.suite_names import ASV_LAYERS, ASV_TRAINING
from benchmarks.suites import bench_layers, bench_training
from benchmarks.suites import points as suite

ROOT = Path(__file__).resolve().parents[3]
POINT = ("cpu", "separable", 4, 8, 1)


def test_asv_and_pytest_benchmark_measure_the_same_layers() -> None:
    points = [point for point in itertools.product(*suite.LAYER_POINTS.values()) if not suite.outside_of_grid(*point)]
    timed = [bench_layers.Forward, bench_layers.ForwardBackward]
    asv = {suite.layer_case(*point, direction=benchmark.direction) for point in points for benchmark in timed}
    assert asv == set(suite.layer_cases())


def test_the_longest_controls_are_plain_convolutions_alone() -> None:
    widest = [case for case in suite.layer_cases() if case.channels == suite.CONTROL_CHANNELS]
    assert {case.variant for case in widest} == {"plain"}
    assert {case.batch_size for case in widest} == set(suite.LAYER_POINTS["batch_size"])
    reason = suite.not_applicable("cpu", "full", 4, suite.CONTROL_CHANNELS, 1)
    assert reason is not None
    assert "for plain convolutions" in reason


DISCOVERY = """
import sys
sys.modules.update(dict.fromkeys({absent!r}))  # importing None fails
from asv_runner.discovery import _discover
_discover(["benchmarks", {found!r}])
"""
# Packages of dependency groups that the build_command of asv.conf.json does not install.
NOT_FOR_ASV = ("asv", "distributed", "h5py", "hypothesis", "jinja2", "onnx", "pandas", "seaborn", "tensorboard")


def test_asv_finds_exactly_its_benchmarks_with_the_packages_of_its_environment(tmp_path: Path) -> None:
    found = tmp_path / "benchmarks.json"
    code = DISCOVERY.format(absent=NOT_FOR_ASV, found=str(found))
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    modules = {".".join(benchmark["name"].split(".")[:2]) for benchmark in json.loads(found.read_text())}
    assert modules == {ASV_LAYERS, ASV_TRAINING}


def test_a_plain_layer_is_measured_once() -> None:
    points = [point for point in itertools.product(*suite.LAYER_POINTS.values()) if point[:2] == ("cpu", "plain")]
    measured = [point for point in points if not suite.not_applicable(*point)]
    assert len(measured) == len({suite.layer_case(*point, direction="forward") for point in points})


def test_an_absent_device_is_skipped_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(NotImplementedError, match="no CUDA device"):
        bench_layers.Forward().setup("cuda", *POINT[1:])
    with pytest.raises(NotImplementedError, match="no CUDA device"):
        bench_training.Training().setup({}, "cuda", "full", 4)


def test_setting_up_again_builds_nothing() -> None:
    benchmark = bench_layers.ForwardBackward()
    benchmark.setup(*POINT)
    first = benchmark.workload
    benchmark.time_pass(*POINT)
    assert first.x.grad is not None
    benchmark.setup(*POINT)
    assert benchmark.workload is first
    assert first.x.grad is None


def test_costs_of_a_layer_are_positive_and_finite() -> None:
    costs = bench_layers.Cost()
    costs.setup({POINT: suite.cost(suite.layer_case(*POINT, direction="forward_backward"))}, *POINT)
    assert costs.track_peak_bytes({}, *POINT) > 0
    assert costs.track_macs({}, *POINT) > 0
    assert costs.track_parameters({}, *POINT) > 0
    assert 0 < costs.track_equivariance_error({}, *POINT) < 1e-4


def test_a_plain_layer_has_no_equivariance_error() -> None:
    point = ("cpu", "plain", 4, 8, 1)
    costs = bench_layers.Cost()
    costs.setup({point: suite.cost(suite.layer_case(*point, direction="forward_backward"))}, *point)
    assert math.isnan(costs.track_equivariance_error({}, *point))


def test_a_point_that_failed_raises_its_reason() -> None:
    with pytest.raises(InvalidResult, match="it broke"):
        bench_layers.Cost().setup({POINT: InvalidResult("RuntimeError: it broke")}, *POINT)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("from gcnn_impl.models import no_such_network", NotImplementedError),  # as at an old commit
        ("import gcnn_impl.no_such_module", NotImplementedError),
        ("import no_such_package", InvalidResult),
        ("raise ValueError('no')", InvalidResult),
    ],
)
def test_a_commit_that_lacks_a_name_is_skipped_and_other_errors_fail(statement: str, kind: type[Exception]) -> None:
    point = ("cpu", "full", 4)
    axes = {"device": ["cpu"], "variant": ["full"], "resolution": [4]}
    results = pickle.loads(pickle.dumps(suite.measure_points(axes, lambda _: exec(statement))))  # asv pickles them
    with pytest.raises(kind, match=r"^(ImportError|ModuleNotFoundError|ValueError): .*no"):
        suite.result_at(results, point)


def test_asv_installs_what_the_suites_import() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    lines = (ROOT / "asv.conf.json").read_text().splitlines()
    [installed] = [line.split() for line in lines if "uv pip install" in line]
    assert {*groups["measure"], "pytest", "pytest-benchmark"} <= set(installed)
