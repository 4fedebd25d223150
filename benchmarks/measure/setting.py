"""``Setting``: something in a process that code can change, so that later code costs or computes something else."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True)
class Setting:
    """A setting of the process.

    Args:
        name: how users read the setting.
        get: returns the value; a mapping, if the setting consists of several values by name.
        put: sets a value that ``get`` returned; None where this is impossible.
        ordinary: whether ordinary code changes the setting too, which is no fault: the value is then only put back.
        compiler: whether torch's compiler changes the setting itself, so that it is not watched in compiled cases.
        imports: whether packages change the setting when they are imported, so that while a contender is built the
            value is only put back.
    """

    name: str
    get: Callable[[], Any]
    put: Callable[[Any], object] | None = None
    ordinary: bool = False
    compiler: bool = False
    imports: bool = False


def attribute(owner: Any, name: str, text: str) -> Setting:
    """Return the setting that is an attribute of a module or of an object."""
    return Setting(text, lambda: getattr(owner, name), partial(setattr, owner, name))


def attributes(owner: Any, names: Iterable[str], text: str) -> Setting:
    """Return the setting that consists of the functions with these names, each of which could be exchanged."""
    present = [name for name in names if hasattr(owner, name)]
    return Setting(text, lambda: {name: getattr(owner, name) for name in present}, partial(_put_attributes, owner))


def _put_attributes(owner: Any, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if getattr(owner, name, None) is not value:
            setattr(owner, name, value)


def namespace(owner: Any, text: str, *, compiler: bool = False) -> Setting:
    """Return the setting that consists of all attributes of a module or of a class."""

    def get() -> dict[str, Any]:
        values = dict(vars(owner))
        values.pop("__warningregistry__", None)  # a warning adds it
        return values

    def put(values: Mapping[str, Any]) -> None:
        for name in get().keys() - values.keys():
            delattr(owner, name)
        _put_attributes(owner, {name: value for name, value in values.items() if vars(owner).get(name) is not value})

    return Setting(text, get, put, compiler=compiler)
