"""The peer escnn: ``R2Conv``; Weiler, Cesa, "General E(2)-Equivariant Steerable CNNs", NeurIPS 2019."""

import importlib.util
import itertools
import sys
from types import ModuleType
from typing import Any, Self

from torch import nn

from benchmarks.cases.case import Case
from benchmarks.workloads.adapted import Adapted


def why_unavailable() -> str | None:
    """Return in one line why escnn is not available; None if it is installed."""
    if "escnn" not in sys.modules and importlib.util.find_spec("escnn") is None:
        return "escnn is not installed; `nox -s peers` installs it"
    return None


def build_layer(case: Case) -> nn.Module:
    """Build the layer of a case."""
    return EscnnConv2d(case)


class EscnnConv2d(Adapted):
    """Escnn's ``R2Conv`` from C trivial (lifting) or C regular fields to C regular fields, over Cₙ or Dₙ.

    Escnn keeps the expanded filter in eval mode (cached kernels), and expands it in every pass in train mode
    (generated kernels).
    """

    def __init__(self, case: Case) -> None:
        gspaces, escnn = import_escnn()
        if case.group == "SO2":
            space = gspaces.rot2dOnR2(case.resolution)
        else:  # axis 0 is the reflection y → −y, the same as ours
            space = gspaces.flipRot2dOnR2(case.resolution // 2, axis=0.0)
        field_in = space.trivial_repr if case.variant == "lifting" else space.regular_repr
        in_type = escnn.FieldType(space, case.channels * [field_in])
        out_type = escnn.FieldType(space, case.channels * [space.regular_repr])
        super().__init__(
            escnn.R2Conv(in_type, out_type, case.kernel_size, padding=case.kernel_size // 2),
            wrap=lambda x: escnn.GeometricTensor(x.flatten(1, -3), in_type),  # (B, C·|H|, H, W), |H| innermost
            unwrap=lambda y: y.tensor.unflatten(1, (-1, case.resolution)),
        )
        self.expands_always = case.kernels == "generated"

    def train(self, mode: bool = True) -> Self:
        """Set the mode. For generated kernels it is always train mode; nothing else in this module depends on it."""
        return super().train(mode or self.expands_always)


def import_escnn() -> tuple[Any, Any]:
    """Return ``escnn.gspaces`` and ``escnn.nn``.

    Escnn imports one function of lie_learn for SO(3), and lie_learn needs numpy < 2. Where lie_learn is missing, an
    empty module replaces it, because no layer on the plane calls that function.

    Raises:
        ImportError: when escnn cannot be imported.
    """
    if "lie_learn" not in sys.modules and importlib.util.find_spec("lie_learn") is None:
        for name in itertools.accumulate(("lie_learn", "representations", "SO3", "wigner_d"), "{}.{}".format):
            sys.modules[name] = ModuleType(name, "Replaces lie_learn, which is not installed.")
        sys.modules[name].wigner_D_matrix = None  # type: ignore[attr-defined]
    try:
        from escnn import gspaces, nn
        from escnn.group import _numerical
    except Exception as error:  # the compiled dependencies of escnn fail in many ways
        raise ImportError(f"escnn cannot be imported: {type(error).__name__}: {error}") from error
    _numerical.randomized_svd = None  # scikit-learn's version refuses escnn's np.matrix; without it, escnn uses scipy's
    return gspaces, nn
