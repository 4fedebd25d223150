"""asv's benchmarks of single layers: time, memory, MACs, parameters and equivariance error, from commit to commit.

When asv looks for benchmarks it imports every module of this folder, and takes all functions and methods named
``time_*`` and ``track_*``. So no other module may use these names, and no module may compute or use CUDA at import.
"""

import math
from typing import Any

from benchmarks.records.costs import pass_macs
from benchmarks.suites import points
from benchmarks.suites.points import LAYER_POINTS, PointResults, layer_case


class Forward(points.Timed):
    """Inference: eval, no gradients, cached kernels."""

    params = tuple(LAYER_POINTS.values())
    param_names = tuple(LAYER_POINTS)
    direction = "forward"

    def setup(self, *point: Any) -> None:
        # asv calls ``setup`` before every single pass, so ``points.workload`` keeps the workload that it built.
        points.skip_unless_applicable(*point)
        self.workload = points.workload(layer_case(*point, direction=self.direction))
        self.workload.prepare()

    def time_pass(self, *point: Any) -> None:
        self.workload.run()


class ForwardBackward(Forward):
    """Training: kernels generated in every pass, gradients of parameters and input."""

    direction = "forward_backward"


class Cost:
    """The costs that do not depend on the clock, measured once for all benchmarks of this class."""

    version = points.VERSION
    params = tuple(LAYER_POINTS.values())
    param_names = tuple(LAYER_POINTS)

    def setup_cache(self) -> PointResults:
        return points.measure_points(
            LAYER_POINTS, lambda point: points.cost(layer_case(*point, direction="forward_backward"))
        )

    def setup(self, results: PointResults, *point: Any) -> None:
        self.cost = points.result_at(results, point)

    def track_peak_bytes(self, results: PointResults, *point: Any) -> int:
        """Return the peak memory of forward and backward, above what was allocated before."""
        return int(self.cost["memory"]["peak_bytes"])

    def track_macs(self, results: PointResults, *point: Any) -> float:
        """Return the multiply–accumulates of one forward pass with generated kernels; nan if they were not counted."""
        macs = pass_macs(self.cost["macs"], generated=True, backward=False)
        return math.nan if macs is None else macs

    def track_parameters(self, results: PointResults, *point: Any) -> int:
        """Return the number of learnable parameters."""
        return int(self.cost["parameters"])

    def track_equivariance_error(self, results: PointResults, *point: Any) -> float:
        """Return the worst relative error under quarter turns; nan (asv shows n/a) for a plain layer."""
        error = self.cost["equivariance_error"]
        return math.nan if error is None else float(error)

    setup_cache.timeout = 600  # type: ignore[attr-defined]
    track_peak_bytes.unit = "bytes"  # type: ignore[attr-defined]
    track_macs.unit = "MAC"  # type: ignore[attr-defined]
    track_parameters.unit = "parameters"  # type: ignore[attr-defined]
    track_equivariance_error.unit = "relative error"  # type: ignore[attr-defined]
