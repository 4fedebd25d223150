"""A hash of the code of a user's layer or network, which tells whether it has changed since it was measured."""

import hashlib
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path

# The digits of the hash that a record keeps.
DIGITS = 12


def own_code(names: Iterable[str]) -> dict[str, str]:
    """Return a hash of the code of each user's module, by its name "package.module:object"; without those not found.

    The code is the file of the module, and for a module in a package all Python files of its folder. Code that these
    import from elsewhere is not in the hash. Nothing is imported.
    """
    found = {name: _source(name.partition(":")[0]) for name in names}
    return {name: _digest(path) for name, path in found.items() if path is not None}


def _source(module: str) -> Path | None:
    """Return the file of a module that stands alone, or the folder of a package or of a module in a package.

    Modules are looked for on Python's path, then in the current folder.
    """
    first, *inner = module.split(".")
    spec = PathFinder.find_spec(first, [*sys.path, str(Path.cwd())])
    if spec is None:
        return None
    if not spec.submodule_search_locations:
        return Path(spec.origin) if spec.origin and Path(spec.origin).is_file() else None
    for place in spec.submodule_search_locations:
        path = Path(place, *inner)
        if path.is_dir():
            return path
        if path.with_suffix(".py").is_file():
            return path.parent
    return None


def _digest(source: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(source.glob("*.py")) if source.is_dir() else [source]:
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:DIGITS]
