"""Builds a user's layer, "package.module:Class" or a function, or network, "package.module:factory", from its name.

``docs/own-layer.md`` and ``docs/own-network.md`` say how to write them.
"""

import importlib
import inspect
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy

from benchmarks.cases.case import Case
from benchmarks.cases.meant import meant_object, remedy
from benchmarks.workloads.shapes import group_of

LAYER_CONTRACT = "{}(in_channels, out_channels, kernel_size, group=group, padding=padding)"
NETWORK_CONTRACT = "factory(in_channels, num_classes, image_size)"
# The argument of a factory that takes the width of the network.
WIDTH = "channels"


class InvalidModule(ValueError):  # noqa: N818
    """A user's layer or network that cannot be loaded or built; the message says why in one line."""


def load_layer(name: str) -> Callable[..., nn.Module]:
    """Return the class, or the function that makes a layer, that a name means; the current directory is searched too.

    Raises:
        InvalidModule: when the module does not exist, cannot be imported, or has no such subclass of ``nn.Module`` and
            no such function.
    """
    module, layer = _load("layer", name)
    if not _makes_layers(layer):
        layers = [key for key, value in vars(module).items() if _makes_layers(value) and _is_of(value, module)]
        missing = name.partition(":")[2]
        nothing = "allowed: nothing, because the module has no subclass of torch.nn.Module"
        where = f"{missing} is no torch.nn.Module and no function in {module.__name__}"
        raise InvalidModule(f"layer {name!r}: {where}; {remedy(missing, layers) if layers else nothing}")
    return layer  # type: ignore[no-any-return]


def build_own_layer(case: Case) -> nn.Module:
    """Build the user's layer of a case.

    The layer must map (B, C, |H|, H, W) to the same shape, or (B, C, H, W) if its group is None.

    Raises:
        InvalidModule: when there is no such class or function, it raises, or it returns no ``nn.Module``.
    """
    name, k = case.implementation, case.kernel_size
    make = load_layer(name)
    contract = LAYER_CONTRACT.format(name.partition(":")[2])
    try:
        layer = make(case.channels, case.channels, k, group=group_of(case), padding=k // 2)
    except Exception as error:
        place = place_in(error, name)
        does_not_fit = isinstance(error, TypeError) and inspect.isclass(make) and not place  # no line of the class ran
        instead = "; a function that builds it may stand in its place (docs/own-layer.md)" if does_not_fit else ""
        raise InvalidModule(f"layer {name!r}: {contract} raises {_line(error)}{place}{instead}") from error
    return _module_of("layer", name, contract, layer)


def build_own_network(case: Case) -> nn.Module:
    """Build the user's network of a case; a factory with an argument ``channels`` is given the width C.

    The network must map images (B, C, S, S) to logits (B, num_classes).

    Raises:
        InvalidModule: when there is no such function, it raises, or it returns no ``nn.Module``.
    """
    name = case.implementation
    module, factory = _load("network", name)
    if not callable(factory):
        factories = [key for key, value in vars(module).items() if inspect.isfunction(value) and _is_of(value, module)]
        there = remedy(name.partition(":")[2], factories) if factories else "the module has no function at all"
        raise InvalidModule(f"network {name!r}: {module.__name__} has no such function; {there}")
    width, contract = {WIDTH: case.channels} if takes_width(factory) else {}, NETWORK_CONTRACT
    try:
        network = factory(case.in_channels, case.num_classes, case.image_size, **width)
    except Exception as error:
        raise InvalidModule(f"network {name!r}: {contract} raises {_line(error)}{place_in(error, name)}") from error
    return _module_of("network", name, contract, network)


def _module_of(kind: str, name: str, contract: str, made: object) -> nn.Module:
    if not isinstance(made, nn.Module):
        raise InvalidModule(f"{kind} {name!r}: {contract} returns a {type(made).__name__}; allowed: torch.nn.Module")
    if any(map(is_lazy, (*made.parameters(), *made.buffers()))):
        example = "first give the module an example, which sets the sizes"
        raise InvalidModule(
            f"{kind} {name!r}: {contract} returns a module with lazy parameters, which have no size yet; {example}"
        )
    return made


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
        absent = isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{error.name}.")
        hint = f"; looked in {Path.cwd()} and in this Python's packages" if absent else ""
        hint += f"; perhaps {meant} is meant" if (meant := meant_object(name)) else ""
        raise InvalidModule(f"{kind} {name!r}: {module_name} cannot be imported: {_line(error)}{hint}") from error
    return module, getattr(module, attribute, None)


def _makes_layers(value: object) -> bool:
    return inspect.isfunction(value) or (inspect.isclass(value) and issubclass(value, nn.Module))


def _is_of(value: Any, module: ModuleType) -> bool:
    """Return whether a class or a function may be what a user's module offers: functions only if it defines them."""
    return inspect.isclass(value) or value.__module__ == module.__name__


def place_in(error: BaseException, name: str) -> str:
    """Return the line of the file of a user's module at which an error left it; empty if it was never in the file."""
    file = getattr(sys.modules.get(name.partition(":")[0]), "__file__", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" ({Path(str(file)).name}, line {lines[-1]})" if lines else ""


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
