"""Tests that the pages of ``asv publish`` work without a network."""

import base64
import hashlib
import io
import shutil
import tarfile
from pathlib import Path

import asv
import pytest

from benchmarks.suites.asv_pages import OfflineError, Package, local_page, main, make_offline

PAGE = '<script src="https://cdn.example/1/lib.min.js" integrity="x" onerror="fail()"></script><a href="https://a.b/c">'
CONTENT = b"let a = 1"


def archive(folder: Path) -> Package:
    """Write an npm archive of one file, and return its description."""
    with tarfile.open(folder / "lib-1.0.0.tgz", "w:gz") as file:
        entry = tarfile.TarInfo("package/dist/lib.js")
        entry.size = len(CONTENT)
        file.addfile(entry, io.BytesIO(CONTENT))
    checksum = hashlib.sha512((folder / "lib-1.0.0.tgz").read_bytes()).digest()
    return Package("lib@1.0.0", base64.b64encode(checksum).decode(), {"lib.min.js": "dist/lib.js"})


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text(PAGE)
    return tmp_path / "html"


def never(package: Package, folder: Path) -> None:
    raise AssertionError(f"{package.name} was fetched")


def test_the_page_of_the_installed_asv_loads_nothing_from_elsewhere() -> None:
    page = Path(asv.__file__).parent.joinpath("www", "index.html").read_text()
    assert page.count('src="https://') == 9
    assert 'src="https://' not in local_page(page)
    assert 'rel="stylesheet" href="https://' not in local_page(page)
    assert "integrity" not in local_page(page)


def test_files_are_copied_next_to_the_page_and_loaded_from_there(pages: Path, tmp_path: Path) -> None:
    package = archive(tmp_path)
    assert make_offline(pages, tmp_path, fetch=never, packages=[package]) == 1
    assert (pages / "vendor/lib/dist/lib.js").read_bytes() == CONTENT
    expected = '<script src="vendor/lib/dist/lib.js" onerror="fail()"></script><a href="https://a.b/c">'
    assert (pages / "index.html").read_text() == expected


def test_an_archive_that_is_not_in_the_cache_is_fetched(pages: Path, tmp_path: Path) -> None:
    package = archive(tmp_path)
    cache = tmp_path / "cache"

    def fetch(package: Package, folder: Path) -> None:
        shutil.copy(tmp_path / package.archive, folder)  # another archive has the time of its own in its bytes

    make_offline(pages, cache, fetch=fetch, packages=[package])
    assert [path.name for path in cache.iterdir()] == ["lib-1.0.0.tgz"]


def test_another_archive_than_the_known_one_is_refused_and_deleted(pages: Path, tmp_path: Path) -> None:
    package = archive(tmp_path)
    (tmp_path / package.archive).write_bytes(b"something else")
    with pytest.raises(OfflineError, match="checksum"):
        make_offline(pages, tmp_path, fetch=never, packages=[package])
    assert not (tmp_path / package.archive).exists()
    assert (pages / "index.html").read_text() == PAGE


def test_a_file_that_no_package_has_is_an_error() -> None:
    with pytest.raises(OfflineError, match=r"lib\.min\.js"):
        local_page(PAGE, [])


def test_missing_npm_is_an_error_of_one_line(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages.joinpath("index.html").write_text(PAGE.replace("lib.min.js", "md5.min.js"))
    monkeypatch.setenv("PATH", "")
    assert main([str(pages), "--cache", str(tmp_path / "cache")]) == 2
    assert capsys.readouterr().err == (
        "error: npm is not installed; allowed: npm on the PATH, for the first time only\n"
    )


def test_missing_pages_are_an_error_of_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
