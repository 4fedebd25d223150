"""asv: time, memory, MACs, parameters and equivariance error of single layers, from commit to commit.

asv imports every module of this folder when it looks for benchmarks, and takes functions and methods named ``time_*``
and ``track_*`` for benchmarks: no other module may use these names, and none may compute or touch CUDA at import.
"""

import itertools
import math
from typing import Any

from benchmarks.records.outcome import InvalidResult
from benchmarks.suites.points import LAYERS, VERSION, Point, Sampled, cost, layer_case, not_applicable, workload

# What is known of a point: its costs, or why they could not be measured.
Costs = dict[Point, dict[str, Any] | str]


class Forward(Sampled):
    """Inference: eval, no gradients, cached kernels."""

    params = tuple(LAYERS.values())
    param_names = tuple(LAYERS)
    direction = "forward"

    def setup(self, *point: Any) -> None:
        # asv calls this before every single pass, so everything in it is a look-up.
        if reason := not_applicable(*point):
            raise NotImplementedError(reason)  # asv shows n/a
        self.workload = workload(layer_case(*point, direction=self.direction))
        self.workload.prepare()

    def time_pass(self, *point: Any) -> None:
        self.workload.run()


class ForwardBackward(Forward):
    """Training: kernels generated in every pass, gradients of parameters and input."""

    direction = "forward_backward"


class Cost:
    """What does not depend on the clock: measured once, for all benchmarks in here."""

    version = VERSION
    params = tuple(LAYERS.values())
    param_names = tuple(LAYERS)

    def setup_cache(self) -> Costs:
        return {point: _cost(point) for point in itertools.product(*LAYERS.values()) if not not_applicable(*point)}

    setup_cache.timeout = 600  # type: ignore[attr-defined]

    def setup(self, costs: Costs, *point: Any) -> None:
        if reason := not_applicable(*point):
            raise NotImplementedError(reason)
        found = costs[point]
        if isinstance(found, str):
            raise InvalidResult(found)
        self.cost = found

    def track_peak_bytes(self, costs: Costs, *point: Any) -> int:
        """Peak memory of forward and backward, above what was allocated before."""
        return int(self.cost["memory"]["peak_bytes"])

    track_peak_bytes.unit = "bytes"  # type: ignore[attr-defined]

    def track_macs(self, costs: Costs, *point: Any) -> int:
        """Multiply–accumulates of one forward pass, kernels generated."""
        return int(self.cost["macs"]["kernel_generation"] + self.cost["macs"]["convolution"])

    track_macs.unit = "MAC"  # type: ignore[attr-defined]

    def track_parameters(self, costs: Costs, *point: Any) -> int:
        """Learnable numbers."""
        return int(self.cost["parameters"])

    track_parameters.unit = "parameters"  # type: ignore[attr-defined]

    def track_equivariance_error(self, costs: Costs, *point: Any) -> float:
        """Worst relative error under quarter turns; nan (asv shows n/a) for a plain layer."""
        error = self.cost["equivariance_error"]
        return math.nan if error is None else float(error)

    track_equivariance_error.unit = "relative error"  # type: ignore[attr-defined]


def _cost(point: Point) -> dict[str, Any] | str:
    """The costs of a point, or what went wrong: one bad layer must not take the others' costs with it."""
    try:
        return cost(layer_case(*point, direction="forward_backward"))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
