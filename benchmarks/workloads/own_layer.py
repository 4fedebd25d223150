"""A user's layer as a contender: "package.module:Class" → a module. ``docs/own-layer.md`` tells its author how."""

import importlib
import inspect
import sys
from pathlib import Path

from torch import nn

from benchmarks.cases.case import Case
from benchmarks.workloads.shapes import group_of

CONTRACT = "Class(in_channels, out_channels, kernel_size, group=group, padding=padding)"


class InvalidLayer(ValueError):  # noqa: N818
    """A name that does not lead to a layer; the message says in one line where it ends."""


def load_layer(name: str) -> type[nn.Module]:
    """The class that "package.module:Class" names; the current directory is searched too.

    Raises:
        InvalidLayer: when there is no such module, it cannot be imported, or has no such subclass of ``nn.Module``.
    """
    module_name, _, class_name = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # importing runs somebody's code, which may do anything
        raise InvalidLayer(f"layer {name!r}: {module_name} cannot be imported: {_line(error)}") from error
    layer = getattr(module, class_name, None)
    if not (inspect.isclass(layer) and issubclass(layer, nn.Module)):
        layers = [key for key, value in vars(module).items() if inspect.isclass(value) and issubclass(value, nn.Module)]
        allowed = ", ".join(layers) or "nothing in there, it has no subclass of torch.nn.Module"
        raise InvalidLayer(f"layer {name!r}: {class_name} is no torch.nn.Module in {module_name}; allowed: {allowed}")
    return layer


def build_own_layer(case: Case) -> nn.Module:
    """The user's layer of a case; it must map (B, C, |H|, H, W) to the same shape, or images if its group is None.

    Raises:
        InvalidLayer: when the class is not there, or its constructor raises.
    """
    layer, k, group = load_layer(case.implementation), case.kernel_size, group_of(case)
    try:
        return layer(case.channels, case.channels, k, group=group, padding=k // 2)
    except Exception as error:
        raise InvalidLayer(f"layer {case.implementation!r}: {CONTRACT} raises {_line(error)}") from error


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
