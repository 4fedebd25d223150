"""Builds a user's own layer, "package.module:Class", or network, "package.module:factory", from its name.

``docs/own-layer.md`` and ``docs/own-network.md`` say how to write them.
"""

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.cases.case import Case
from benchmarks.workloads.shapes import group_of

LAYER_CONTRACT = "Class(in_channels, out_channels, kernel_size, group=group, padding=padding)"
NETWORK_CONTRACT = "factory(in_channels, num_classes, image_size)"
# The argument of a factory that takes the width of the network.
WIDTH = "channels"


class InvalidModule(ValueError):  # noqa: N818
    """A user's layer or network that cannot be loaded or built; the message says why in one line."""


def load_layer(name: str) -> type[nn.Module]:
    """Return the class that "package.module:Class" names; the current directory is searched too.

    Raises:
        InvalidModule: when the module does not exist, cannot be imported, or has no such subclass of ``nn.Module``.
    """
    module, layer = _load("layer", name)
    if not _is_layer(layer):
        layers = [key for key, value in vars(module).items() if _is_layer(value)]
        allowed = ", ".join(layers) or "nothing, because the module has no subclass of torch.nn.Module"
        where = f"{name.partition(':')[2]} is no torch.nn.Module in {module.__name__}"
        raise InvalidModule(f"layer {name!r}: {where}; allowed: {allowed}")
    return layer  # type: ignore[no-any-return]


def build_own_layer(case: Case) -> nn.Module:
    """Build the user's layer of a case.

    The layer must map (B, C, |H|, H, W) to the same shape, or (B, C, H, W) if its group is None.

    Raises:
        InvalidModule: when there is no such class, or its constructor raises.
    """
    layer, k = load_layer(case.implementation), case.kernel_size
    try:
        return layer(case.channels, case.channels, k, group=group_of(case), padding=k // 2)
    except Exception as error:
        raise InvalidModule(f"layer {case.implementation!r}: {LAYER_CONTRACT} raises {_line(error)}") from error


def build_own_network(case: Case) -> nn.Module:
    """Build the user's network of a case; a factory with an argument ``channels`` is given the width C.

    The network must map images (B, C, S, S) to logits (B, num_classes).

    Raises:
        InvalidModule: when there is no such function, it raises, or it returns no ``nn.Module``.
    """
    name = case.implementation
    module, factory = _load("network", name)
    if not callable(factory):
        raise InvalidModule(f"network {name!r}: {module.__name__} has no such function")
    width, contract = {WIDTH: case.channels} if takes_width(factory) else {}, NETWORK_CONTRACT
    try:
        network = factory(case.in_channels, case.num_classes, case.image_size, **width)
    except Exception as error:
        raise InvalidModule(f"network {name!r}: {contract} raises {_line(error)}") from error
    if not isinstance(network, nn.Module):
        raise InvalidModule(
            f"network {name!r}: {contract} returns a {type(network).__name__}; allowed: torch.nn.Module"
        )
    return network


def takes_width(factory: Any) -> bool:
    """Return whether a factory of networks takes their width."""
    try:
        return WIDTH in inspect.signature(factory).parameters
    except (TypeError, ValueError):  # a function in C may have no signature
        return False


def own_network_takes_width(name: str) -> bool:
    """Return whether the factory of a user's network takes its width; see ``build_own_network`` for what it raises."""
    return takes_width(_load("network", name)[1])


def _load(kind: str, name: str) -> tuple[Any, Any]:
    """Import a module, and return it with what it has by the name; None if it has nothing."""
    module_name, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # importing runs the user's code, which may raise anything
        raise InvalidModule(f"{kind} {name!r}: {module_name} cannot be imported: {_line(error)}") from error
    return module, getattr(module, attribute, None)


def _is_layer(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, nn.Module)


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
