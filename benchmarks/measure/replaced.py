"""A function of a layer or a module that is replaced for a while, so that its calls can be watched."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def replaced(owner: Any, name: str, wrap: Callable[[Any], Any]) -> Iterator[None]:
    """Replace the function ``owner.name`` by ``wrap`` of it, and put it back at the end.

    >>> from types import SimpleNamespace
    >>> layer = SimpleNamespace(forward=lambda x: x)
    >>> with replaced(layer, "forward", lambda forward: lambda x: forward(x) + 1):
    ...     layer.forward(1)
    2
    >>> layer.forward(1)
    1
    """
    own, function = name in vars(owner), getattr(owner, name)
    setattr(owner, name, wrap(function))
    try:
        yield
    finally:
        if own:
            setattr(owner, name, function)
        else:
            delattr(owner, name)
