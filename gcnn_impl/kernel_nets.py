"""SIREN: a small network with sine activations that maps log coordinates to kernel values.

Sitzmann et al., "Implicit Neural Representations with Periodic Activation Functions", NeurIPS 2020; sizes and
initialisation of the hidden layers as in Knigge et al. 2022.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gcnn_impl.checks import check_dtype, check_integer, check_positive


def _linear(x: Tensor, weight: Tensor, bias: Tensor, scale: float) -> Tensor:
    """Return scale · (x wᵀ + b) as one operation: the number of operations determines the time of small layers."""
    return torch.addmm(bias, x, weight.t(), beta=scale, alpha=scale)


def _features(x: Tensor, omega: float, *parameters: Tensor) -> Tensor:
    weight_first, bias_first, weight_hidden, bias_hidden = parameters
    x = torch.sin(_linear(x, weight_first, bias_first, omega))
    return torch.sin(_linear(x, weight_hidden, bias_hidden, omega))


def siren(coordinates: Tensor, omega: float, *parameters: Tensor, scale: float = 1.0) -> Tensor:
    """Return ``scale`` × the values of a ``SIREN`` with these parameters, (N, in_features) → (N, out_features)."""
    *features, weight_last, bias_last = parameters
    return _linear(_features(coordinates, omega, *features), weight_last, bias_last, scale)


def parameter_shapes(in_features: int, hidden_features: int, out_features: int) -> tuple[tuple[int, ...], ...]:
    """Return the shapes of a SIREN's parameters, in the order of ``SIREN.tensors``."""
    d, k, f = in_features, hidden_features, out_features
    return (k, d), (k,), (k, k), (k,), (f, k), (f,)


def siren_at_places(
    coordinates: Tensor,
    weights: Tensor,
    index: Tensor,
    taps: Tensor | None,
    omega: float,
    channels: int,
    *parameters: Tensor,
) -> Tensor:
    """Return the values of a SIREN at the places of a kernel, in the layout that the convolutions need.

    Args:
        coordinates: coordinates of the points, shape (N, d).
        weights: factors of the values at each point, shape (N,).
        index: the number of each place's point, or N where the kernel is zero; shape (A, [J,] k·k) for A output and J
            input elements.
        taps: the wanted taps in the wanted order, shape (T,); None for all T = k·k taps.
        omega, parameters: frequency and parameters of the net, in the order of ``SIREN.tensors``.
        channels: number C_o of output channels of the kernel.

    Returns:
        The values, shape (A, C_o, T·J, C_i).
    """
    if taps is not None:
        index = index.index_select(-1, taps)
    places = (index.mT if index.dim() == 3 else index).flatten(1)  # (A, T·J)
    values = pad(siren(coordinates, omega, *parameters) * weights[:, None], (0, 0, 0, 1))  # (N + 1, C_o·C_i)
    return values[places].unflatten(2, (channels, -1)).transpose(1, 2)


class SIREN(nn.Module):
    """Two sine layers and a linear one, from ``in_features`` coordinates to ``out_features`` kernel values.

    Args:
        in_features: number of coordinates; may be 0 (a kernel over the trivial group).
        out_features: number of kernel values at a point.
        hidden_features: width of the sine layers.
        omega: frequency ω₀ of the sine layers.

    Raises:
        ValueError: for a size below its least value, or an ω₀ that is not finite and positive.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        hidden_features: int = 64,
        omega: float = 10.0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.in_features = in_features = check_integer("in_features", in_features, 0)
        self.out_features = out_features = check_integer("out_features", out_features, 1)
        self.hidden_features = hidden_features = check_integer("hidden_features", hidden_features, 1)
        self.omega = check_positive("omega", omega)
        check_dtype(dtype)
        shapes = parameter_shapes(in_features, hidden_features, out_features)
        parameters = [nn.Parameter(torch.empty(shape, **factory)) for shape in shapes]
        self.weight_first, self.bias_first, self.weight_hidden, self.bias_hidden = parameters[:4]
        self.weight_last, self.bias_last = parameters[4:]
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw the weights; the variance of the output is then the mean square of the second sine layer's features."""
        bound = 1 / max(self.in_features, 1)
        self.weight_first.uniform_(-bound, bound)
        self.bias_first.uniform_(-bound, bound)
        bound = math.sqrt(6 / self.hidden_features) / self.omega
        self.weight_hidden.uniform_(-bound, bound)
        self.bias_hidden.zero_()
        bound = math.sqrt(3 / self.hidden_features)
        self.weight_last.uniform_(-bound, bound)
        self.bias_last.zero_()

    def forward(self, coordinates: Tensor, scale: float = 1.0) -> Tensor:
        """Return ``scale`` × the kernel values at the given points, shape (N, in_features) → (N, out_features).

        In half precision too the points and the values are float32.
        """
        return siren(coordinates, self.omega, *self.tensors(), scale=scale)

    def features(self, coordinates: Tensor) -> Tensor:
        """Return the features of the second sine layer, shape (N, in_features) → (N, hidden_features)."""
        return _features(coordinates, self.omega, *self.tensors()[:4])

    def tensors(self) -> tuple[Tensor, ...]:
        """Return the parameters from the first layer to the last, those in half precision as float32."""
        parameters = (
            self.weight_first,
            self.bias_first,
            self.weight_hidden,
            self.bias_hidden,
            self.weight_last,
            self.bias_last,
        )
        if self.bias_last.dtype in (torch.bfloat16, torch.float16):
            return tuple(parameter.float() for parameter in parameters)
        return parameters

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, hidden_features={self.hidden_features}, omega={self.omega}"
