"""Copies of a module with a mistake in them."""

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType


def mutant(module: ModuleType, right: str, wrong: str, folder: Path) -> ModuleType:
    """Return the module with ``wrong`` wherever it says ``right``; the copy's file is in ``folder``."""
    source = inspect.getsource(module)
    assert right in source
    path = folder / "mutant.py"
    path.write_text(source.replace(right, wrong))
    spec = importlib.util.spec_from_file_location("mutant", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made
