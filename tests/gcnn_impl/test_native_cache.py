"""Only whole files of this user's own are loaded as code; every other state of the cache is survived."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from gcnn_impl import native
from gcnn_impl.native import build, cache

pytestmark = pytest.mark.skipif(native.status() != "in use", reason=f"native is {native.status()}")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
SOMEBODY = 65534


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> bytes:
    """Return a small shared library."""
    source = tmp_path_factory.mktemp("library") / "answer.c"
    source.write_text("int answer(void) { return 42; }\n")
    command = [*build._compiler(), "-shared", "-fPIC", "-o", source.with_suffix(".so"), source]
    subprocess.run(command, check=True)
    return source.with_suffix(".so").read_bytes()


@pytest.fixture
def kept(tmp_path, library) -> Path:
    folder = tmp_path / "cache"
    cache.make_private(folder)
    cache.store(folder / "answer.so", library)
    return folder / "answer.so"


def test_what_is_stored_is_loaded(kept):
    found = cache.load(kept)
    assert found is not None
    assert found.answer() == 42
    assert [path.name for path in kept.parent.iterdir()] == ["answer.so"]


def test_nothing_is_loaded_where_nothing_is(tmp_path):
    assert cache.load(tmp_path / "answer.so") is None


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 1000, -1])
def test_a_file_that_was_cut_short_is_not_loaded(kept, size):
    whole = kept.read_bytes()
    kept.write_bytes(whole[:size])
    assert cache.load(kept) is None


def test_a_file_with_a_changed_byte_is_not_loaded(kept):
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.write_bytes(content)
    assert cache.load(kept) is None


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_refused(kept, mode):
    kept.chmod(mode)
    with pytest.raises(cache.NotPrivate, match=f"may be written by others: mode {mode:o}"):
        cache.load(kept)


def test_a_link_is_refused(kept, tmp_path):
    (tmp_path / "link.so").symlink_to(kept)
    with pytest.raises(OSError, match="symbolic links"):
        cache.load(tmp_path / "link.so")


@as_root
def test_a_file_of_another_user_is_refused(kept):
    os.chown(kept, SOMEBODY, SOMEBODY)
    with pytest.raises(cache.NotPrivate, match=f"belongs to user {SOMEBODY}"):
        cache.load(kept)


@as_root
def test_a_folder_of_another_user_is_refused(tmp_path):
    os.chown(tmp_path, SOMEBODY, SOMEBODY)
    with pytest.raises(cache.NotPrivate, match=f"belongs to user {SOMEBODY}"):
        cache.make_private(tmp_path)


def test_a_linked_folder_is_refused(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(cache.NotPrivate, match="is no folder"):
        cache.make_private(tmp_path / "link")


def test_the_folder_is_closed_to_others(tmp_path):
    for folder in (tmp_path / "new", tmp_path / "open"):
        if folder.name == "open":
            folder.mkdir()
            folder.chmod(0o777)
        cache.make_private(folder)
        assert folder.stat().st_mode & 0o777 == 0o700


def test_the_cache_is_below_the_home_directory_unless_told_otherwise(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    own = tmp_path / f"gcnn_impl-{os.geteuid()}"
    for named, folder in {
        "": tmp_path / "home/.cache/gcnn_impl",
        "relative": tmp_path / "home/.cache/gcnn_impl",  # the specification says that such a path is ignored
        "/absolute": Path("/absolute/gcnn_impl"),
    }.items():
        monkeypatch.setenv("XDG_CACHE_HOME", named)
        assert list(cache.folders()) == [folder, own]


def test_a_user_without_a_home_has_the_temporary_directory(tmp_path, monkeypatch):
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert list(cache.folders()) == [tmp_path / f"gcnn_impl-{os.geteuid()}"]


def test_what_killed_compilations_left_is_removed_later(tmp_path):
    for name, age in ((".work-old", 7200), (".work-new", 60)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "siren.o").touch()
        changed = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (changed, changed))
    with cache.work_folder(tmp_path) as folder:
        assert folder.parent == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == [".work-new"]


class TestOperators:
    """The operators in C, with a cache that somebody or something has damaged."""

    @pytest.fixture
    def path(self, monkeypatch, tmp_path) -> Path:
        """Return the path of operators that a process before this one has compiled."""
        monkeypatch.setattr(build, "_loaded", None)
        monkeypatch.setenv(build.FLAGS_VARIABLE, "-O0")  # compiled in a fraction of the time
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        assert native.status() == "in use"
        monkeypatch.setattr(build, "_loaded", None)
        (path,) = (tmp_path / "cache").rglob("*.so")
        shutil.copy2(path, tmp_path / "copy")
        (tmp_path / "copy").replace(path)  # this process has mapped the old file: damage would be a bus error
        return path

    def test_damaged_ones_are_compiled_anew(self, path):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        assert native.status() == "in use"
        assert len(path.read_bytes()) == len(whole)

    @as_root
    def test_those_of_another_user_are_left_alone(self, path, tmp_path):
        os.chown(path, SOMEBODY, SOMEBODY)
        before = path.stat()
        assert native.status() == "in use"
        assert path.stat() == before
        assert list(tmp_path.glob("gcnn_impl-*/*.so"))

    def test_a_folder_that_forbids_execution_is_passed_over(self, path, tmp_path, monkeypatch):
        load = cache.load

        def refuse(file: Path) -> object:
            if "cache" in file.parts:
                raise OSError(f"{file}: failed to map segment from shared object")
            return load(file)

        monkeypatch.setattr(cache, "load", refuse)
        assert native.status() == "in use"
        assert list(tmp_path.glob("gcnn_impl-*/*.so"))

    def test_a_temporary_directory_that_forbids_execution_does_not_matter(self, path, tmp_path, monkeypatch):
        shutil.rmtree(path.parent)
        monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
        assert native.status() == "in use"
        assert path.exists()
