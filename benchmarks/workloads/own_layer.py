"""Builds a user's own layer from its name, "package.module:Class"; ``docs/own-layer.md`` says how to write one."""

import importlib
import inspect
import sys
from pathlib import Path

from torch import nn

from benchmarks.cases.case import Case
from benchmarks.workloads.shapes import group_of

CONTRACT = "Class(in_channels, out_channels, kernel_size, group=group, padding=padding)"


class InvalidLayer(ValueError):  # noqa: N818
    """A user's layer that cannot be loaded or built; the message says why in one line."""


def load_layer(name: str) -> type[nn.Module]:
    """Return the class that "package.module:Class" names; the current directory is searched too.

    Raises:
        InvalidLayer: when the module does not exist, cannot be imported, or has no such subclass of ``nn.Module``.
    """
    module_name, _, class_name = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # importing runs the user's code, which may raise anything
        raise InvalidLayer(f"layer {name!r}: {module_name} cannot be imported: {_line(error)}") from error
    layer = getattr(module, class_name, None)
    if not (inspect.isclass(layer) and issubclass(layer, nn.Module)):
        layers = [key for key, value in vars(module).items() if inspect.isclass(value) and issubclass(value, nn.Module)]
        allowed = ", ".join(layers) or "nothing, because the module has no subclass of torch.nn.Module"
        raise InvalidLayer(f"layer {name!r}: {class_name} is no torch.nn.Module in {module_name}; allowed: {allowed}")
    return layer


def build_own_layer(case: Case) -> nn.Module:
    """Build the user's layer of a case.

    The layer must map (B, C, |H|, H, W) to the same shape, or (B, C, H, W) if its group is None.

    Raises:
        InvalidLayer: when there is no such class, or its constructor raises.
    """
    layer, k = load_layer(case.implementation), case.kernel_size
    try:
        return layer(case.channels, case.channels, k, group=group_of(case), padding=k // 2)
    except Exception as error:
        raise InvalidLayer(f"layer {case.implementation!r}: {CONTRACT} raises {_line(error)}") from error


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
