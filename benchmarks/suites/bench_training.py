"""asv's benchmarks of networks: a training step, and the test error after a short training, from commit to commit."""

from typing import Any

from benchmarks.cases.training_run import RUN_VERSION
from benchmarks.suites import points
from benchmarks.suites.points import NETWORK_POINTS, PointResults, network_run


class TrainingStep(points.Timed):
    """Forward, backward and a step of Adam."""

    params = tuple(NETWORK_POINTS.values())
    param_names = tuple(NETWORK_POINTS)

    def setup(self, *point: Any) -> None:
        points.skip_unless_applicable(*point)
        self.workload = points.workload(points.step_case(network_run(*point)))
        self.workload.prepare()

    def time_step(self, *point: Any) -> None:
        self.workload.run()


def _test_error(point: points.Point) -> float:
    # Late, because older commits of gcnn_impl lack names that training imports, and their steps are timed, too.
    from benchmarks.training.loop import train

    return 100 * (1 - float(train(network_run(*point))["test_accuracy"]))


class Training:
    """A few epochs on rotated digits with one seed."""

    version = f"{points.VERSION}.{RUN_VERSION}"
    params = tuple(NETWORK_POINTS.values())
    param_names = tuple(NETWORK_POINTS)

    def setup_cache(self) -> PointResults:
        return points.measure_points(NETWORK_POINTS, _test_error)

    def setup(self, results: PointResults, *point: Any) -> None:
        self.error = points.result_at(results, point)

    def track_test_error(self, results: PointResults, *point: Any) -> float:
        """Return the percentage of wrongly classified test images. (Not the accuracy: for asv, less is better.)"""
        return float(self.error)

    setup_cache.timeout = 600  # type: ignore[attr-defined]
    track_test_error.unit = "%"  # type: ignore[attr-defined]
