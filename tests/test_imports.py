"""Folders import each other in one direction only, and some folders work without torch. (The code calls them rooms.)

``pytest tests/test_imports.py -rP`` prints which folder imports which.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Every folder may import the folders before it, and none of those after it. ``style`` is a single file; the empty name
# stands for the files outside these folders.
ROOMS = {
    "gcnn_impl": ("",),
    "benchmarks": (
        *("statistics", "cases", "records", "workloads", "measure", "running", "terminal", "answers", "datasets"),
        *("profiling", "sweep", "deployment", "training", "studies", "comparing", "suites", "commands", "evidence", ""),
    ),
    "reports": ("style", "frames", "arithmetic", "words", "tables", "figures", "exports", "page", ""),
    "gcnn_bench": ("",),
}
# The packages, and folders of packages, that each package may import besides itself.
ACROSS = {
    "gcnn_impl": set(),
    "benchmarks": {"gcnn_impl"},
    "gcnn_bench": {"benchmarks", "reports"},
    "reports": {
        "benchmarks.terminal",
        "benchmarks.statistics",
        "benchmarks.cases",
        "benchmarks.records",
        "benchmarks.answers",
    },
}
# Importing these must not import torch, which takes seconds, because reports and listings do not need torch.
WITHOUT_TORCH = (
    *("benchmarks.statistics", "benchmarks.cases", "benchmarks.records", "benchmarks.running", "benchmarks.answers"),
    *("benchmarks.__main__", "benchmarks.commands.list", "benchmarks.commands.sweep", "benchmarks.commands.compare"),
    *("benchmarks.commands.train", "benchmarks.commands.study", "benchmarks.training.missing", "reports"),
)


def modules(package: str) -> dict[str, Path]:
    """Return the files of a package by the names of their modules."""
    files = (path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py"))
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__"): ROOT / path for path in files}


MODULES = {name: path for package in ROOMS for name, path in modules(package).items()}


def room_of(module: str) -> tuple[str, str]:
    """Return the package and the folder of a module."""
    package, *rest = module.split(".")
    return package, rest[0] if rest and rest[0] in ROOMS[package] else ""


def imported(module: str) -> Iterator[str]:
    """Yield the modules of ours that a module imports, at its top or within its functions."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            yield from inner or {node.module}


def allowed(module: str, other: str) -> bool:
    """Return whether the direction of imports lets a module import another one."""
    (package, room), (other_package, other_room) = room_of(module), room_of(other)
    if package == other_package:
        return ROOMS[package].index(other_room) <= ROOMS[package].index(room)
    return bool({other_package, f"{other_package}.{other_room}"} & ACROSS[package])


def test_every_folder_of_a_package_is_a_room_that_says_what_lives_there() -> None:
    for package in ("benchmarks", "reports"):
        folders = {path.parent.name: path for path in (ROOT / package).glob("*/__init__.py")}
        assert folders.keys() == set(ROOMS[package]) - {"", "style"}
        for path in folders.values():
            assert len(ast.get_docstring(ast.parse(path.read_text())) or "") > 80, path


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_rooms_before_its_own(module: str) -> None:
    assert [other for other in imported(module) if not allowed(module, other)] == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {module: set(imported(module)) - {module} for module in MODULES}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError where there is a circle
    assert set(order) == MODULES.keys()
    for package, rooms in ROOMS.items():
        print(f"{package}: {', '.join(room or 'the files beside' for room in rooms)}")
        for room in rooms:
            inside = [module for module in MODULES if room_of(module) == (package, room)]
            others = sorted({".".join(filter(None, room_of(other))) for module in inside for other in graph[module]})
            print(f"  {room or 'the files beside'} ({len(inside)} modules) imports {', '.join(others) or 'nothing'}")
    print("circles: 0; imports against the direction: 0")


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_a_room_does_without_torch(name: str) -> None:
    chosen = sorted(module for module in MODULES if module == name or module.startswith(f"{name}."))
    assert chosen
    program = f"import sys\n{''.join(f'import {module}{chr(10)}' for module in chosen)}sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


def test_no_file_is_longer_than_300_lines_but_those_of_the_layers() -> None:
    lengths = {name: len(path.read_text().splitlines()) for name, path in MODULES.items()}
    assert [name for name, lines in lengths.items() if lines > 300 and not name.startswith("gcnn_impl")] == []
