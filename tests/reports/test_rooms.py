"""The folders of `reports`: imports run in one direction only, and without torch."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import reports

from .conftest import cost_record, training_record
from .test_command import results

PACKAGE = Path(reports.__file__).parent
# A folder may import itself and the folders before it.
ROOMS = ("frames", "arithmetic", "words", "tables", "figures", "exports", "page")


def modules():
    """Return the file of every module, by the name of the module."""
    files = (path.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.py"))
    return {".".join(path.with_suffix("").parts).removesuffix(".__init__"): PACKAGE.parent / path for path in files}


def imported(path):
    """Yield the modules of `reports` that a file imports, at its top or in its functions."""
    known = modules()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        if isinstance(node, ast.ImportFrom) and node.module in known:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from (inner & set(known)) or {node.module}


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 2 or module in {f"reports.{name}" for name in ROOMS} else ""


def test_every_folder_is_a_room():
    assert {path.parent.name for path in PACKAGE.rglob("*.py")} - {"reports"} == set(ROOMS)


def test_rooms_import_only_themselves_and_the_rooms_before_them():
    for module, path in modules().items():
        if room(module):
            allowed = {"", *ROOMS[: ROOMS.index(room(module)) + 1]}
            assert {room(other) for other in imported(path)} <= allowed, module


def test_no_module_imports_itself_over_others():
    order = TopologicalSorter({module: set(imported(path)) - {module} for module, path in modules().items()})
    assert len(list(order.static_order())) == len(modules())  # a cycle would raise


def test_no_file_is_longer_than_300_lines():
    lengths = {path.name: len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert max(lengths.values()) <= 300, lengths


def test_every_command_does_without_torch(tmp_path):
    folder = results(tmp_path / "r", cost_record(), cost_record(variant="plain"), training_record("plain", 1, 0, 0.5))
    program = f"""
import sys
from reports.__main__ import main
assert main(["--results", {folder!r}, "--output", {str(tmp_path / "pages" / "report.html")!r}]) == 0
assert main(["diff", {folder!r}, {folder!r}]) == 0
assert main(["summary", "--results", {folder!r}]) == 0
assert main(["export", "--results", {folder!r}, "--output", {str(tmp_path / "export")!r}]) == 0
assert main(["gallery", {str(tmp_path / "pages")!r}]) == 0
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=PACKAGE.parent, stdout=subprocess.DEVNULL)
