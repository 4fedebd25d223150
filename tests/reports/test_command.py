import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reports
from reports.__main__ import main
from reports.exports.files import write

from .conftest import cost_record, failed_record, training_record


def results(directory, *records, tail=""):
    directory.mkdir(exist_ok=True)
    lines = "".join(json.dumps(record) + "\n" for record in records)
    (directory / "records.jsonl").write_text(lines + tail)
    return str(directory)


def test_writes_one_page_and_prints_where(tmp_path, capsys):
    output = tmp_path / "new" / "report.html"
    assert main(["--results", results(tmp_path / "r", cost_record()), "--output", str(output)]) == 0
    assert capsys.readouterr() == (f"{output}\n", "")
    assert output.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [path.name for path in output.parent.iterdir()] == ["report.html"]


@pytest.mark.usefixtures("no_figures")
def test_several_results(tmp_path):
    there = cost_record()
    there["provenance"]["cpu"] = "Another CPU"
    a, b = results(tmp_path / "a", cost_record()), results(tmp_path / "b", there)
    assert main(["--results", a, b, "--output", str(tmp_path / "x.html")]) == 0
    assert "Another CPU" in (tmp_path / "x.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("no_figures")
def test_results_that_are_given_one_by_one_all_count(tmp_path):
    there = cost_record()
    there["provenance"]["cpu"] = "Another CPU"
    a, b = results(tmp_path / "a", cost_record()), results(tmp_path / "b", there)
    assert main(["--results", a, "--results", b, "--output", str(tmp_path / "x.html")]) == 0
    assert {"Made-up CPU", "Another CPU"} <= set(re.findall(r"[A-Z][\w-]+ CPU", (tmp_path / "x.html").read_text()))


@pytest.mark.parametrize("make", [lambda path: None, lambda path: results(path)])
def test_no_results_is_one_line_that_says_how_to_get_them(tmp_path, capsys, make):
    make(tmp_path / "results")
    output = tmp_path / "report.html"
    assert main(["--results", str(tmp_path / "results"), "--output", str(output)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: no results in ")
    assert "python -m benchmarks sweep --profile quick" in error
    assert error.count("\n") == 1
    assert not output.exists()


def test_a_truncated_line_is_a_warning(tmp_path, capsys):
    directory = results(tmp_path / "r", failed_record("x"), tail='{"schema": 1, "ki')
    assert main(["--results", directory, "--output", str(tmp_path / "x.html")]) == 0
    warning = capsys.readouterr().err
    assert warning.startswith("warning: ")
    assert "records.jsonl:2" in warning
    assert warning.count("\n") == 1


@pytest.mark.parametrize(
    ("output", "reason"), [("file/report.html", "exists|Not a directory"), ("directory", "Is a directory")]
)
def test_an_unwritable_output_is_one_line(tmp_path, capsys, output, reason):
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    directory = results(tmp_path / "r", failed_record("x"))
    assert main(["--results", directory, "--output", str(tmp_path / output)]) == 2
    error = capsys.readouterr().err
    assert re.fullmatch(rf"error: cannot write {tmp_path / output}: .*({reason}); allowed: a file in .*\n", error)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "directory", "r"}


@pytest.mark.parametrize("command", ["render", "export", "readme", "gallery"])
def test_an_unwritable_output_is_noticed_before_anything_is_computed(command, tmp_path, capsys, monkeypatch):
    def too_early(*_, **__):
        raise AssertionError("computed before the output was checked")

    for name in ("page.page.render", "exports.export.export", "exports.readme.answer", "page.gallery.gallery"):
        monkeypatch.setattr(f"reports.{name}", too_early)
    (tmp_path / "file").write_text("in the way")
    what = [str(tmp_path)] if command == "gallery" else ["--results", results(tmp_path / "r", failed_record("x"))]
    assert main([command, *what, "--output", str(tmp_path / "file" / "page.html")]) == 2
    assert capsys.readouterr().err.startswith(f"error: cannot write {tmp_path}/file/page.html: ")


def test_a_file_of_records_will_do_for_its_directory(tmp_path):
    file = Path(results(tmp_path, failed_record("x"))) / "records.jsonl"
    renamed = file.rename(tmp_path / "january.jsonl")
    assert main(["--results", str(renamed), "--output", str(tmp_path / "x.html")]) == 0


def test_render_is_what_is_done_without_a_command(tmp_path, capsys):
    directory, output = results(tmp_path / "r", failed_record("x")), str(tmp_path / "x.html")
    assert main(["render", "--results", directory, "--output", output]) == 0
    assert capsys.readouterr().out == f"{output}\n"
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    help_text = capsys.readouterr().out
    assert {"render", "diff", "summary", "gallery", "export"} <= set(re.findall(r"^    (\w+)", help_text, re.M))
    assert re.search(r"^  python -m reports --results A B --output page\.html  ", help_text, re.M)


def test_the_help_of_diff_tells_its_statuses_and_what_the_verdict_is_on(capsys):
    with pytest.raises(SystemExit):
        main(["diff", "--help"])
    text = capsys.readouterr().out
    assert " OLD NEW" in text
    assert "python -m reports diff results/old results/new" in text
    assert "0 fine, 1 regressed, 3 undecided, 2 could not compare" in text
    assert "does not affect the verdict" in " ".join(text.split())


def test_an_unknown_command_is_refused(capsys):
    assert main(["paint"]) == 2
    assert "invalid choice: 'paint'" in capsys.readouterr().err


def test_results_that_cannot_be_read_is_one_line(tmp_path, capsys):
    (tmp_path / "records.jsonl").mkdir()
    assert main(["--results", str(tmp_path), "--output", str(tmp_path / "x.html")]) == 2
    assert capsys.readouterr().err == f"error: cannot read results in {tmp_path}: Is a directory\n"


def test_a_write_that_fails_leaves_the_old_page(tmp_path):
    page = tmp_path / "report.html"
    page.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write(page, "new \ud800")
    assert page.read_text() == "old"
    assert list(tmp_path.iterdir()) == [page]


def test_every_command_does_without_torch(tmp_path):
    folder = results(tmp_path / "r", cost_record(), cost_record(variant="plain"), training_record("plain", 1, 0, 0.5))
    program = f"""
import sys
from reports.__main__ import main
assert main(["--results", {folder!r}, "--output", {str(tmp_path / "pages" / "report.html")!r}]) == 0
assert main(["diff", {folder!r}, {folder!r}]) == 2  # the same records
assert main(["summary", "--results", {folder!r}]) == 0
assert main(["export", "--results", {folder!r}, "--output", {str(tmp_path / "export")!r}]) == 0
assert main(["gallery", {str(tmp_path / "pages")!r}]) == 0
assert "torch" not in sys.modules
"""
    root = Path(reports.__file__).parents[1]
    subprocess.run([sys.executable, "-c", program], check=True, cwd=root, stdout=subprocess.DEVNULL)


def test_the_locale_changes_no_byte_of_a_page(tmp_path):
    there = cost_record(variant="full")
    there["provenance"]["cpu"] = "Prozessor Größe µ"
    folder = results(tmp_path / "r", cost_record(), there, training_record("plain", 1, 0, 0.5))
    program = f"""
import sys
from reports.__main__ import main
assert main(["render", "--results", {folder!r}, "--output", sys.argv[1]]) == 0
assert main(["summary", "--results", {folder!r}]) == 0
"""
    pages = []
    for encoding, environment in (
        ("ascii", {"LC_ALL": "C", "PYTHONUTF8": "0"}),
        ("utf-8", {"LC_ALL": "C.UTF-8"}),
    ):
        page = tmp_path / f"{encoding}.html"
        done = subprocess.run(
            [sys.executable, "-c", program, page],
            cwd=Path(reports.__file__).parents[1],
            env={**os.environ, **environment, "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": encoding},
            capture_output=True,
        )
        assert done.returncode == 0, done.stderr
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]
