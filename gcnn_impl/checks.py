"""Checks of arguments, made before anything is computed: an error is one line, with the value and what is allowed.

The operators in C read memory by the sizes that they are told. The functions of ``functional`` therefore check the
shapes of all tensors together: a ``Signature`` names the axes of every tensor, and equal names must have equal sizes.
"""

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

Algorithm = Literal["auto", "direct", "disc", "fourier"]
ALGORITHMS: tuple[str, ...] = get_args(Algorithm)
# Torch and the operators in C count with 64-bit integers; products of two sizes below this bound fit into them.
LARGEST_SIZE = 2**31 - 1


def check_integer(name: str, value: object, least: int) -> int:
    """Return ``value`` as an ``int``; NumPy's integers are integers too.

    Raises:
        ValueError: unless ``value`` is an integer of at least ``least``, and at most ``LARGEST_SIZE``.

    >>> check_integer("stride", 0, 1)
    Traceback (most recent call last):
    ValueError: stride must be an integer of at least 1, not 0
    """
    if type(value) is int and least <= value <= LARGEST_SIZE:
        return value
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, not {value!r}")
    number = int(value)
    if number > LARGEST_SIZE:
        raise ValueError(f"{name} must be at most {LARGEST_SIZE}, not {value!r}")
    return number


def check_real(name: str, value: object, allowed: str, least: float, most: float = math.inf) -> float:
    """Return ``value`` as a ``float``.

    Raises:
        ValueError: unless ``value`` is a finite real number in [least, most]; ``allowed`` says so in words.

    >>> check_real("omega", "10", "a positive number", math.ulp(0))
    Traceback (most recent call last):
    ValueError: omega must be a positive number, not '10'
    """
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not least <= value <= most:  # type: ignore[arg-type, operator]
        raise ValueError(f"{name} must be {allowed}, not {value!r}")
    return float(value)  # type: ignore[arg-type]


def check_positive(name: str, value: object) -> float:
    """Return ``value`` as a ``float``; raise ``ValueError`` unless it is a finite positive number."""
    return check_real(name, value, "a finite positive number", math.ulp(0))


def check_odd(name: str, value: object) -> int:
    """Return the side of a kernel as an ``int``; raise ``ValueError`` unless it is an odd integer of at least 1."""
    side = check_integer(name, value, 1)
    if side % 2 == 0:
        raise ValueError(f"{name} must be odd, so that a kernel has a centre to turn about, not {side}")
    return side


def check_choice(name: str, value: object, allowed: Iterable[str]) -> None:
    """Raise ``ValueError`` unless ``value`` is one of the allowed words."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"unknown {name} {value!r}; allowed: {', '.join(allowed)}")


def check_kind(name: str, value: object, kinds: type | tuple[type, ...], words: str) -> None:
    """Raise ``ValueError`` unless ``value`` is of one of the kinds; ``words`` say which these are."""
    if not isinstance(value, kinds):
        raise ValueError(f"{name} must be {words}, not {described(value)}")


def check_flag(name: str, value: object) -> bool:
    """Return ``value`` as a ``bool``; raise ``ValueError`` unless it is true or false, also of NumPy."""
    check_kind(name, value, (bool, np.bool_), "True or False")
    return bool(value)


def check_dtype(dtype: object) -> None:
    """Raise ``ValueError`` unless parameters can have this dtype; None is torch's default."""
    if dtype is not None and not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise ValueError(f"dtype must be a floating-point dtype, not {dtype!r}")


def check_axes(name: str, x: object, *axes: str) -> None:
    """Raise ``ValueError`` unless ``x`` is a tensor with these axes, none of them empty but the first, the batch.

    >>> check_axes("x", torch.zeros(2, 3), "B", "C", "|H|")
    Traceback (most recent call last):
    ValueError: x must be a tensor (B, C, |H|), not (2, 3)
    """
    if not isinstance(x, Tensor) or x.dim() != len(axes):
        raise ValueError(f"{name} must be a tensor ({', '.join(axes)}), not {described(x)}")
    # A compiled graph serves images of any size, and the sizes that ``torch.jit`` traces are tensors.
    if not (torch.compiler.is_compiling() or torch._C._is_tracing()) and 0 in x.shape[1:]:
        raise ValueError(f"{name} must be a tensor ({', '.join(axes)}) without empty axes, not {described(x)}")


# Shape, dtype and device of a tensor, or the thing that was given in place of a tensor.
_Kind = tuple[Any, Any, Any] | None


@dataclass(frozen=True, eq=False)
class Signature:
    """The axes of the tensors that a function takes.

    Args:
        function: its name, for errors.
        axes: the names of the axes of each tensor: equal names have equal sizes, a number is a fixed size, and "R·S"
            the product of two sizes. H and W are the sides of an image. The first tensor may have an empty batch.
        side: the name of the axes that are the side of a kernel.
    """

    function: str
    axes: Mapping[str, tuple[str, ...]]
    side: str = "k"

    def check(self, *tensors: Tensor | None, stride: int = 1, padding: int = 0) -> tuple[int, int]:
        """Check tensors in the order of ``axes``, None for no bias; return stride and padding as integers.

        What was found right before takes 2 to 3 µs.

        Raises:
            ValueError: for shapes that do not fit each other; for tensors that are not floating-point numbers of one
                dtype on one device; for a kernel that has an even side or does not fit the padded image; for a stride
                below 1, or a padding below 0.
        """
        try:
            kinds: tuple[_Kind, ...] = tuple([None if t is None else (t.shape, t.dtype, t.device) for t in tensors])
        except AttributeError:
            kinds = tuple([(t.shape, t.dtype, t.device) if isinstance(t, Tensor) else (t, None, None) for t in tensors])
        # A compiled graph serves images of any size, and the sizes that ``torch.jit`` traces are tensors.
        if torch.compiler.is_compiling() or torch._C._is_tracing():
            return self._check(kinds, stride, padding, sized=False)
        try:
            return _check_once(self, kinds, stride, padding)
        except TypeError:  # symbolic sizes, or arguments that have no hash
            return self._check(kinds, stride, padding)

    def _check(self, kinds: tuple[_Kind, ...], stride: int, padding: int, sized: bool = True) -> tuple[int, int]:
        sizes: dict[str, Any] = {"1": 1, "2": 2}
        fits, given = True, [kind for kind in kinds if kind is not None]
        missing = any(kind is None and name != "bias" for name, kind in zip(self.axes, kinds, strict=True))
        if missing or not all(isinstance(dtype, torch.dtype) for _, dtype, _ in given):
            raise self._error(kinds, "every argument but bias must be a tensor")
        for number, (axes, kind) in enumerate(zip(self.axes.values(), kinds, strict=True)):
            if kind is not None:
                shape = kind[0]
                # The sides of an image are checked below, unless their numbers are symbols.
                fits = fits and len(shape) == len(axes) and 0 not in (shape if number else shape[1:-2])
                for axis, size in zip(axes, shape, strict=False):
                    fits = fits and sizes.setdefault(axis, size) == size
        if not fits:
            raise self._error(kinds, "equal names must have equal sizes, and none may be 0")
        for axis, size in sizes.items():
            if "·" in axis and math.prod([sizes[factor] for factor in axis.split("·")]) != size:
                raise self._error(kinds, f"{axis} is {size}")
        dtypes, devices = {dtype for _, dtype, _ in given}, {device for _, _, device in given}
        autocast = len(dtypes) > 1 and _is_autocast(given[0][2])
        if len(devices) > 1 or (len(dtypes) > 1 and not autocast) or not all(d.is_floating_point for d in dtypes):
            pairs = zip(self.axes, kinds, strict=True)
            found = ", ".join(f"{name} {kind[1]} on {kind[2]}" for name, kind in pairs if kind is not None)
            raise ValueError(f"{self.function} takes floating-point tensors of one dtype on one device, not {found}")
        stride, padding = check_integer("stride", stride, 1), check_integer("padding", padding, 0)
        if "H" in sizes:
            k, height, width = sizes.get(self.side, 1), sizes["H"], sizes["W"]
            if k % 2 == 0:
                raise self._error(kinds, f"{self.side} must be odd")
            if sized and not (0 < height >= k - 2 * padding and 0 < width >= k - 2 * padding):
                raise self._error(kinds, f"with padding {padding} the kernel does not fit {height}×{width} pixels")
        return stride, padding

    def _error(self, kinds: tuple[_Kind, ...], reason: str) -> ValueError:
        wanted = ", ".join(f"{name} ({', '.join(axes)})" for name, axes in self.axes.items())
        pairs = zip(self.axes, kinds, strict=True)
        given = ", ".join(f"{name} {_short(kind and kind[0])}" for name, kind in pairs if kind or name != "bias")
        return ValueError(f"{self.function} takes {wanted}, not {given}: {reason}")


@functools.lru_cache(maxsize=4096, typed=True)  # typed, because 1.0 and True equal 1
def _check_once(signature: Signature, kinds: tuple[_Kind, ...], stride: int, padding: int) -> tuple[int, int]:
    if len({kind[1] for kind in kinds if kind is not None}) > 1:
        raise TypeError("whether dtypes may differ depends on autocast, so that the answer must not be kept")
    return signature._check(kinds, stride, padding)


def _is_autocast(device: torch.device) -> bool:
    """Return whether autocast gives all tensors of a device one dtype."""
    return device.type != "meta" and torch.is_autocast_enabled(device.type)


def described(value: object) -> str:
    """Return a tensor's shape, or the beginning of anything else, for an error."""
    return _short(value.shape) if isinstance(value, Tensor) else _short(value)


def _short(value: object) -> str:
    return str(tuple(value)) if isinstance(value, torch.Size) else " ".join(repr(value).split())[:80]
