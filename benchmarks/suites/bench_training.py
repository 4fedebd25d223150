"""asv: a training step of the networks, and how well they do after a short training, from commit to commit."""

import itertools
from typing import Any

from benchmarks.cases.training_run import RUN_VERSION
from benchmarks.suites.points import NETWORKS, VERSION, Point, Sampled, network_run, not_applicable, step_case, workload
from benchmarks.training.loop import train


class TrainingStep(Sampled):
    """Forward, backward and a step of Adam."""

    params = tuple(NETWORKS.values())
    param_names = tuple(NETWORKS)

    def setup(self, *point: Any) -> None:
        if reason := not_applicable(*point):
            raise NotImplementedError(reason)
        self.workload = workload(step_case(network_run(*point)))
        self.workload.prepare()

    def time_step(self, *point: Any) -> None:
        self.workload.run()


class Training:
    """A few epochs on rotated digits with one seed."""

    version = f"{VERSION}.{RUN_VERSION}"
    params = tuple(NETWORKS.values())
    param_names = tuple(NETWORKS)

    def setup_cache(self) -> dict[Point, float | str]:
        return {
            point: _test_error(point) for point in itertools.product(*NETWORKS.values()) if not not_applicable(*point)
        }

    setup_cache.timeout = 600  # type: ignore[attr-defined]

    def setup(self, errors: dict[Point, float | str], *point: Any) -> None:
        if reason := not_applicable(*point):
            raise NotImplementedError(reason)
        found = errors[point]
        if isinstance(found, str):
            raise RuntimeError(found)
        self.error = found

    def track_test_error(self, errors: dict[Point, float | str], *point: Any) -> float:
        """Test images classified wrongly, %: not accuracy, because asv takes less for better."""
        return self.error

    track_test_error.unit = "%"  # type: ignore[attr-defined]


def _test_error(point: Point) -> float | str:
    try:
        return 100 * (1 - train(network_run(*point))["test_accuracy"])
    except Exception as error:
        return f"{type(error).__name__}: {error}"
