"""Tests of every loader on small files in the published formats: complete, truncated, corrupt and missing."""

import dataclasses
import gzip
import hashlib
import io
import pickle
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import psutil
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.datasets import CIFAR10, CIFAR100, MNIST, STL10

from benchmarks.datasets import DataError, Dataset, cifar10_jpeg, galaxy10, load, mnist, rotated_mnist
from benchmarks.datasets.files import Archive, fetch
from benchmarks.datasets.splits import split_pool, split_train

REAL_DIGITS = Path("../shared/data/mnist")
RNG = np.random.default_rng(0)


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def pixels(*shape: int) -> np.ndarray:
    return RNG.integers(256, size=shape, dtype=np.uint8)


def classes(count: int, n: int = 10) -> np.ndarray:
    return RNG.permutation(np.arange(count) % n).astype(np.uint8)


def write_mnist(root: Path, patch: pytest.MonkeyPatch, part: str, count: int, suffix: str = ".gz") -> None:
    """Write IDX files, packed or not."""
    folder = root / "MNIST" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for kind, values in (("images-idx3", pixels(count, 28, 28)), ("labels-idx1", classes(count))):
        header = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">i4").tobytes()
        path = folder / f"{part}-{kind}-ubyte{suffix}"
        content = header + values.tobytes()
        path.write_bytes(gzip.compress(content, mtime=0) if suffix else content)
        patch.setitem(mnist.MD5, path.name, md5(path))


def make_mnist(root: Path, patch: pytest.MonkeyPatch) -> Path:
    write_mnist(root, patch, "train", 40)
    write_mnist(root, patch, "t10k", 20)
    return root / "MNIST/raw/t10k-images-idx3-ubyte.gz"


def make_rotated_mnist(root: Path, patch: pytest.MonkeyPatch) -> Path:
    lines = {rotated_mnist.TRAIN_FILE: 24, rotated_mnist.TEST_FILE: 10}
    with zipfile.ZipFile(root / "mnist_rotation_new.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, count in lines.items():
            text = io.StringIO()
            np.savetxt(text, np.column_stack([RNG.random((count, 784)), classes(count)]), fmt="%.18e")
            archive.writestr(name, text.getvalue())
    path = root / "mnist_rotation_new.zip"
    patch.setattr(rotated_mnist, "LINES", lines)
    patch.setattr(rotated_mnist, "ARCHIVE", dataclasses.replace(rotated_mnist.ARCHIVE, digest=md5(path)))
    return path


def make_cifar(published: type[CIFAR10], label_key: str, n: int) -> Callable[[Path, pytest.MonkeyPatch], Path]:
    def make(root: Path, patch: pytest.MonkeyPatch) -> Path:
        folder = root / published.base_folder
        folder.mkdir()

        def write(name: str, content: object) -> list[str]:
            (folder / name).write_bytes(pickle.dumps(content))
            return [name, md5(folder / name)]

        def batch(name: str) -> list[str]:
            return write(name, {"data": pixels(20, 3 * 32 * 32), label_key: classes(20, n).tolist()})

        for attribute in ("train_list", "test_list"):
            patch.setattr(published, attribute, [batch(name) for name, _ in getattr(published, attribute)])
        name, digest = write(published.meta["filename"], {published.meta["key"]: [f"class {i}" for i in range(n)]})
        patch.setattr(published, "meta", published.meta | {"filename": name, "md5": digest})
        return folder / published.test_list[0][0]

    return make


def make_pcam(root: Path, patch: pytest.MonkeyPatch) -> Path:
    (root / "pcam").mkdir()
    for part, count in (("train", 20), ("valid", 6), ("test", 5)):
        for kind, values in (("x", pixels(count, 96, 96, 3)), ("y", classes(count, 2).reshape(-1, 1, 1, 1))):
            with h5py.File(root / f"pcam/camelyonpatch_level_2_split_{part}_{kind}.h5", "w") as file:
                file.create_dataset(kind, data=values, chunks=(1, *values.shape[1:]), compression="gzip")
    return root / "pcam/camelyonpatch_level_2_split_train_x.h5"


def make_galaxy10(root: Path, patch: pytest.MonkeyPatch) -> Path:
    path = root / "Galaxy10.h5"
    with h5py.File(path, "w") as file:
        file["images"], file["ans"] = pixels(30, 69, 69, 3), classes(30)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    patch.setattr(galaxy10, "SDSS", dataclasses.replace(galaxy10.SDSS, digest=digest))
    return path


def make_stl10(root: Path, patch: pytest.MonkeyPatch) -> Path:
    folder = root / "stl10_binary"
    folder.mkdir()
    for attribute, prefix, count in (("train_list", "train", 20), ("test_list", "test", 8)):
        (folder / f"{prefix}_X.bin").write_bytes(pixels(count, 3, 96, 96).tobytes())
        (folder / f"{prefix}_y.bin").write_bytes((classes(count) + 1).tobytes())
        listed = [[name, md5(folder / name)] for name in (f"{prefix}_X.bin", f"{prefix}_y.bin")]
        patch.setattr(STL10, attribute, [*listed, ["unlabeled_X.bin", "not needed"]])
    return folder / "test_X.bin"


def make_folder(root: Path, patch: pytest.MonkeyPatch) -> Path:
    for name in ("cats", "dogs", "owls"):
        (root / name).mkdir()
        for i in range(10):
            Image.fromarray(pixels(20 + i, 30, 3)).save(root / name / f"{i}.{'png' if i % 2 else 'jpg'}")
    return root / "dogs" / "3.png"


def make_cifar10_jpeg(root: Path, patch: pytest.MonkeyPatch) -> Path:
    for label in range(10):
        folder = root / cifar10_jpeg.FOLDER / f"class{label}"
        folder.mkdir(parents=True)
        for part, count in (("train_", 2), ("test_", 1)):
            for i in range(count):
                Image.fromarray(pixels(32, 32, 3)).save(folder / f"{part}{i}.jpg")
    patch.setattr(cifar10_jpeg, "COUNTS", {"train_": 20, "test_": 10})
    return root / cifar10_jpeg.FOLDER / "class3" / "train_1.jpg"


def make_nothing(root: Path, patch: pytest.MonkeyPatch) -> Path:
    return root


MAKERS: dict[str, Callable[[Path, pytest.MonkeyPatch], Path]] = {
    "digits": make_nothing,
    "rotated-digits": make_nothing,
    "mnist": make_mnist,
    "rotated-mnist": make_rotated_mnist,
    "mnist-upright": make_mnist,
    "mnist-tilted": make_mnist,
    "mnist-scale": make_mnist,
    "mnist-rot-scale": make_mnist,
    "cifar10-jpeg": make_cifar10_jpeg,
    "cifar10": make_cifar(CIFAR10, "labels", 10),
    "cifar100": make_cifar(CIFAR100, "fine_labels", 100),
    "pcam": make_pcam,
    "galaxy10": make_galaxy10,
    "stl10": make_stl10,
    "folder": make_folder,
    "synthetic": make_nothing,
}
FROM_FILES = [name for name, maker in MAKERS.items() if maker is not make_nothing]
# Sizes of the three parts, channels, native size, classes.
EXPECTED = {
    "digits": ([1200, 297, 300], 1, 16, 10),
    "rotated-digits": ([1200, 297, 300], 1, 16, 10),
    "mnist": ([36, 4, 20], 1, 28, 10),
    "rotated-mnist": ([20, 4, 10], 1, 28, 10),
    "mnist-upright": ([48, 6, 6], 1, 28, 10),
    "mnist-tilted": ([48, 6, 6], 1, 28, 10),
    "mnist-scale": ([48, 6, 6], 1, 28, 10),
    "mnist-rot-scale": ([48, 6, 6], 1, 28, 10),
    "cifar10-jpeg": ([18, 2, 10], 3, 32, 10),
    "cifar10": ([90, 10, 20], 3, 32, 10),
    "cifar100": ([18, 2, 20], 3, 32, 100),
    "pcam": ([20, 6, 5], 3, 96, 2),
    "galaxy10": ([24, 3, 3], 3, 69, 10),
    "stl10": ([18, 2, 8], 3, 96, 10),
    "folder": ([24, 3, 3], 3, None, 3),
    "synthetic": ([1024, 256, 256], 1, 28, 10),
}
NATIVE_SIZE_OF_FOLDER = 16
WITHOUT_CHECKSUMS = ("folder", "cifar10-jpeg")  # of single files, which nobody publishes


def load_native(name: str, root: Path, *, seed: int = 0, limit: int | None = None) -> Dataset:
    size = NATIVE_SIZE_OF_FOLDER if name == "folder" else None
    return load(name, root, image_size=size, seed=seed, limit=limit)


def indices(data: Dataset) -> list[torch.Tensor]:
    return [data.train.indices, data.validation.indices, data.test.indices]


def message(name: str, root: Path) -> str:
    with pytest.raises(DataError) as error:
        load_native(name, root)
    assert "\n" not in str(error.value)
    print(f"{name}: {str(error.value).replace(str(root), 'ROOT')}")  # pytest -rP shows the table of messages
    return str(error.value)


@pytest.mark.parametrize("name", MAKERS)
def test_every_data_set_has_the_expected_sizes_and_is_normalised(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MAKERS[name](tmp_path, monkeypatch)
    data = load_native(name, tmp_path)
    sizes, channels, native, num_classes = EXPECTED[name]
    size = native or NATIVE_SIZE_OF_FOLDER
    assert [len(part) for part in (data.train, data.validation, data.test)] == sizes
    assert (data.name, data.num_classes, data.image_size, data.channels) == (name, num_classes, size, channels)
    for part, count in zip((data.train, data.validation, data.test), sizes, strict=True):
        assert part.images.shape == (count, channels, size, size)
        assert (part.images.dtype, part.labels.dtype) == (torch.float32, torch.int64)
        assert part.labels.min() >= 0
        assert part.labels.max() < num_classes
    assert data.source
    assert data.licence
    std, mean = torch.std_mean(data.train.images, dim=(0, 2, 3))
    torch.testing.assert_close(mean, torch.zeros(channels), atol=1e-5, rtol=0)
    torch.testing.assert_close(std, torch.ones(channels), atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", MAKERS)
def test_no_image_is_in_two_parts_and_the_seed_decides_which(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MAKERS[name](tmp_path, monkeypatch)
    data, again, other = (load_native(name, tmp_path, seed=seed) for seed in (0, 0, 1))
    assert len(torch.cat(indices(data)).unique()) == sum(len(part) for part in indices(data))
    assert again.train.images.equal(data.train.images)
    assert again.test.labels.equal(data.test.labels)
    assert not other.train.indices.equal(data.train.indices)
    # An image has the same label in every split.
    labels = dict(zip(torch.cat(indices(data)).tolist(), torch.cat(all_labels(data)).tolist(), strict=True))
    others = dict(zip(torch.cat(indices(other)).tolist(), torch.cat(all_labels(other)).tolist(), strict=True))
    if name != "synthetic":  # the seed draws its labels as well
        assert all(others[place] == label for place, label in labels.items() if place in others)


def all_labels(data: Dataset) -> list[torch.Tensor]:
    return [data.train.labels, data.validation.labels, data.test.labels]


@pytest.mark.parametrize("name", MAKERS)
def test_a_limit_takes_the_first_images_of_each_part(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MAKERS[name](tmp_path, monkeypatch)
    whole, few = load_native(name, tmp_path), load_native(name, tmp_path, limit=2)
    for part, all_of_it in zip(indices(few), indices(whole), strict=True):
        assert part.equal(all_of_it[:2])
    # The same images, normalised by fewer images.
    torch.testing.assert_close(raw(few)[:2], raw(whole)[:2], atol=1e-5, rtol=0)


def raw(data: Dataset) -> torch.Tensor:
    return data.train.images * torch.tensor(data.std)[:, None, None] + torch.tensor(data.mean)[:, None, None]


def test_a_limit_of_the_train_images_leaves_the_other_parts_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mnist(tmp_path, monkeypatch)
    whole, few = load("mnist", tmp_path), load("mnist", tmp_path, train_limit=3)
    assert few.train.indices.equal(whole.train.indices[:3])
    assert [len(few.validation), len(few.test)] == [len(whole.validation), len(whole.test)]
    torch.testing.assert_close(few.train.images.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)  # by its own images


def test_tilted_digits_are_turned_by_30_degrees_at_most_and_upright_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mnist(tmp_path, monkeypatch)
    angles: dict[str, torch.Tensor] = {}

    def posed(images: torch.Tensor, angle: torch.Tensor, scale: torch.Tensor, size: int) -> torch.Tensor:
        assert scale.eq(1).all()
        angles[name] = torch.cat([angles.get(name, angle[:0]), angle])
        return images

    monkeypatch.setattr(mnist, "turn_and_scale", posed)
    for name in ("mnist-upright", "mnist-tilted"):
        load(name, tmp_path)
    assert angles["mnist-upright"].eq(0).all()
    assert 20 < angles["mnist-tilted"].abs().max() <= 30
    assert angles["mnist-tilted"].min() < 0 < angles["mnist-tilted"].max()


def test_cifar10_of_jpeg_files_keeps_its_test_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make_cifar10_jpeg(tmp_path, monkeypatch)
    data = load("cifar10-jpeg", tmp_path)
    assert sorted(data.test.indices.tolist()) == list(range(20, 30))
    assert sorted(data.test.labels.tolist()) == list(range(10))
    file.unlink()
    assert message("cifar10-jpeg", tmp_path).endswith(
        "is incomplete: 10 classes with 19 train and 10 test images, expected 10 classes with 20 and 10; "
        "unpack the archive again"
    )


@pytest.mark.parametrize("name", FROM_FILES)
def test_another_image_size(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    MAKERS[name](tmp_path, monkeypatch)
    data = load(name, tmp_path, image_size=11, limit=2)
    assert data.test.images.shape[2:] == (11, 11)
    assert data.image_size == 11


@pytest.mark.parametrize("name", FROM_FILES)
def test_a_truncated_file_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = MAKERS[name](tmp_path, monkeypatch)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert_damage_is_named(message(name, tmp_path), name, path)


@pytest.mark.parametrize("name", FROM_FILES)
def test_a_corrupt_file_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = MAKERS[name](tmp_path, monkeypatch)
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    path.write_bytes(content)
    assert_damage_is_named(message(name, tmp_path), name, path)


def assert_damage_is_named(text: str, name: str, path: Path) -> None:
    assert text.startswith(f"{path} is truncated or corrupt: ")
    if name in WITHOUT_CHECKSUMS:
        assert text.endswith("; replace or remove it")
    else:
        assert "get it with --download (download=True), or fetch http" in text
    if name == "pcam":  # the published checksums of PCam are those of the packed files
        assert "(md5 " in text
    elif name not in WITHOUT_CHECKSUMS:
        assert f"its {path.stat().st_size} bytes have " in text
        assert ", expected " in text


@pytest.mark.parametrize("name", [name for name in FROM_FILES if name not in WITHOUT_CHECKSUMS])
def test_a_missing_file_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = MAKERS[name](tmp_path, monkeypatch)
    path.unlink()
    text = message(name, tmp_path)
    assert text.startswith(f"{path} is missing")
    assert "get it with --download (download=True), or fetch http" in text


def test_without_any_file_the_message_says_where_mnist_belongs(tmp_path: Path) -> None:
    assert message("mnist", tmp_path) == (
        f"{tmp_path}/MNIST/raw/train-images-idx3-ubyte.gz is missing (expected md5 f68b3c2dcbeaaa9fbdd348bbdeb94873); "
        "get it with --download (download=True), or fetch "
        "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz"
    )


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(("part", "words"), [("train", "train"), ("t10k", "test")])
def test_mnist_is_made_from_the_files_that_exist_and_its_source_says_so(
    part: str, words: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(tmp_path, monkeypatch, part, 50, suffix)
    data = load("mnist", tmp_path)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [40, 5, 5]
    assert data.source.endswith(f"the 50 images of its {words} files alone")


def test_images_without_labels_are_no_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_mnist(tmp_path, monkeypatch, "t10k", 50)
    labels = tmp_path / "MNIST/raw/t10k-labels-idx1-ubyte.gz"
    labels.unlink()
    assert message("mnist", tmp_path).startswith(f"{labels} is missing")


def test_rotated_mnist_that_is_made_from_mnist_has_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_mnist(tmp_path, monkeypatch, "t10k", 50)
    made, upright = load("rotated-mnist", tmp_path), load("mnist", tmp_path)
    assert made.name == "rotated-mnist-generated"
    assert made.source.startswith("made from MNIST")
    assert made.source.endswith("the 50 images of its test files alone; angles 0° to 360°, factors 1 to 1")
    assert made.train.indices.equal(upright.train.indices)
    assert not made.train.images.isclose(upright.train.images, atol=0.1).all()


def test_generated_sets_of_enough_images_have_the_published_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mnist(tmp_path, monkeypatch)
    monkeypatch.setattr(mnist, "MADE_SIZES", (10, 2, 45))
    data = load("mnist-scale", tmp_path)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [10, 2, 45]


def test_rotated_mnist_that_was_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = make_rotated_mnist(tmp_path, monkeypatch)
    packed = load("rotated-mnist", tmp_path)
    folder = tmp_path / "mnist_rotation_new"
    zipfile.ZipFile(archive).extractall(folder)
    archive.unlink()
    assert load("rotated-mnist", tmp_path).test.images.equal(packed.test.images)

    path = folder / rotated_mnist.TEST_FILE
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-1]))
    assert message("rotated-mnist", tmp_path).startswith(
        f"{path} is truncated or corrupt: 9 lines of 785 numbers, expected 10 of 785; "
    )
    path.write_text("\n".join([*lines[:-1], lines[-1][:100]]))
    assert message("rotated-mnist", tmp_path).startswith(f"{path} is truncated or corrupt: the number of columns")
    path.write_text("\n".join([*lines[:-1], lines[-1].rpartition(" ")[0] + " 17"]))
    assert message("rotated-mnist", tmp_path).startswith(f"{path} is corrupt: not all labels are digits")
    path.unlink()
    assert message("rotated-mnist", tmp_path).startswith(f"{path} is missing; ")


def test_galaxy10_takes_the_edition_that_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sdss = make_galaxy10(tmp_path, monkeypatch)
    decals = sdss.rename(tmp_path / "Galaxy10_DECals.h5")
    monkeypatch.setattr(galaxy10, "DECALS", dataclasses.replace(galaxy10.DECALS, digest=galaxy10.SDSS.digest))
    assert load("galaxy10", tmp_path).source == "Galaxy10_DECals.h5 (Leung and Bovy, Galaxy Zoo)"
    decals.write_bytes(b"")
    assert message("galaxy10", tmp_path).startswith(f"{decals} is truncated or corrupt: its 0 bytes have sha256 ")


@pytest.mark.parametrize("name", ["pcam", "galaxy10"])
def test_without_h5py_the_message_says_how_to_get_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert message(name, tmp_path) == ("HDF5 files need h5py, which is not installed; get it with: pip install h5py")


def test_different_numbers_of_images_and_labels_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = make_pcam(tmp_path, monkeypatch)
    labels = images.with_name(images.name.replace("train_x", "train_y"))
    labels.write_bytes(images.with_name(images.name.replace("train_x", "test_y")).read_bytes())
    assert message("pcam", tmp_path) == f"{images} has 20 images, {labels} 5 labels"


def test_stl10_columns_become_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_stl10(tmp_path, monkeypatch)
    data = load("stl10", tmp_path)
    stored = np.frombuffer(path.read_bytes(), np.uint8).reshape(8, 3, 96, 96)
    place = int(data.test.indices[0]) - 20
    shown = data.test.images[0] * torch.tensor(data.std)[:, None, None] + torch.tensor(data.mean)[:, None, None]
    expected = torch.from_numpy(stored[place].copy()).swapaxes(1, 2) / 255
    torch.testing.assert_close(shown, expected, atol=1e-5, rtol=0)


def test_own_images_keep_their_proportions(tmp_path: Path) -> None:
    picture = np.zeros((20, 40, 3), np.uint8)
    picture[:, 10:30] = 255  # the square in the middle
    for i in range(10):
        (tmp_path / "squares").mkdir(exist_ok=True)
        Image.fromarray(picture).save(tmp_path / "squares" / f"{i}.png")
    data = load("folder", tmp_path, image_size=20)
    assert (data.mean, data.std) == ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0))  # white; a constant channel is not divided
    assert data.num_classes == 1


def test_a_folder_that_holds_no_images_is_refused(tmp_path: Path) -> None:
    assert message("folder", tmp_path).startswith(f"{tmp_path} is not a folder of images by class: ")
    missing = tmp_path / "cifar10-jpeg"
    assert message("cifar10-jpeg", tmp_path).startswith(f"{missing} is missing; unpack CIFAR-10 as JPEG files there: ")
    with pytest.raises(ValueError, match="folder needs an image_size"):
        load("folder", tmp_path)


def test_too_few_images_for_three_parts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    Image.fromarray(pixels(8, 8, 3)).save(tmp_path / "cats/0.png")
    assert message("folder", tmp_path) == "folder has 1 images, too few: none is left for validation"


def test_images_that_do_not_fit_into_memory_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_pcam(tmp_path, monkeypatch)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2_000_000))
    assert message("pcam", tmp_path) == (
        "pcam: 31 images of 3 × 96 × 96 take 3 MiB; allowed: the 2 MiB that are free; "
        "set a limit or a smaller image_size"
    )
    assert len(load("pcam", tmp_path, limit=5).train) == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "imagenet"}, "unknown data set 'imagenet'; allowed: rotated-digits, digits, mnist, "),
        ({"image_size": 0}, "image_size 0 is not allowed; allowed: integers of at least 1"),
        ({"seed": -1}, "seed -1 is not allowed; allowed: integers of at least 0"),
        ({"limit": 0}, "limit 0 is not allowed; allowed: integers of at least 1"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        load(**{"name": "synthetic", "root": ".", **arguments})  # type: ignore[arg-type]


def served(folder: Path, name: str, content: bytes, into: str = ".") -> Archive:
    """Write an archive to a folder and return it with a file: address."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return Archive((folder / name).absolute().as_uri(), hashlib.md5(content).hexdigest(), into)


def test_a_download_fetches_missing_and_corrupt_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_mnist(tmp_path / "server", monkeypatch)
    monkeypatch.setattr(MNIST, "mirrors", [(tmp_path / "server/MNIST/raw").as_uri() + "/"])
    root = tmp_path / "data"
    (root / "MNIST/raw").mkdir(parents=True)
    (root / "MNIST/raw/train-images-idx3-ubyte.gz").write_bytes(b"half of it")
    expected = load("mnist", tmp_path / "server")
    assert load("mnist", root, download=True).train.images.equal(expected.train.images)
    assert load("mnist", root).test.images.equal(expected.test.images)
    assert not list(root.rglob("*.part"))


def test_archives_are_unpacked_where_they_belong(tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        (tmp_path / "batch").write_bytes(b"1")
        tar.add(tmp_path / "batch", "set/batch")
    fetch(tmp_path / "data", served(tmp_path / "server", "set.tar.gz", content.getvalue()))
    fetch(tmp_path / "data", served(tmp_path / "server", "x.h5.gz", gzip.compress(b"2"), into="pcam"))
    fetch(tmp_path / "data", served(tmp_path / "server", "y.h5", b"3"))
    found = {str(path.relative_to(tmp_path / "data")) for path in (tmp_path / "data").rglob("*") if path.is_file()}
    assert found == {"set/batch", "pcam/x.h5", "y.h5"}
    assert (tmp_path / "data/pcam/x.h5").read_bytes() == b"2"


def test_a_download_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    archive = served(tmp_path / "server", "y.h5", b"3")
    with pytest.raises(DataError, match=r"y\.h5 is truncated or corrupt: its 1 bytes have md5 .*, expected 0000"):
        fetch(tmp_path / "data", dataclasses.replace(archive, digest="0" * 32))
    (tmp_path / "server/y.h5").unlink()
    with pytest.raises(DataError, match=r"y\.h5 cannot be fetched: "):
        fetch(tmp_path / "data", archive)
    assert list((tmp_path / "data").iterdir()) == []


@given(count=st.integers(10, 400), seed=st.integers(0, 2**32))
def test_the_parts_of_a_pool_are_disjoint_and_cover_it(count: int, seed: int) -> None:
    parts = split_pool(count, np.random.default_rng(seed))
    assert torch.cat(parts).sort().values.equal(torch.arange(count))
    assert len(parts[1]) == len(parts[2]) == count // 10


@given(train=st.integers(2, 300), test=st.integers(1, 100), share=st.floats(0.01, 0.99), seed=st.integers(0, 2**32))
def test_validation_images_never_come_from_the_test_images(train: int, test: int, share: float, seed: int) -> None:
    held_out = int(share * train)
    kept, validation, tested = split_train(train, test, held_out, np.random.default_rng(seed))
    assert torch.cat([kept, validation]).sort().values.equal(torch.arange(train))
    assert tested.sort().values.equal(torch.arange(train, train + test))
    assert len(validation) == held_out


@pytest.mark.skipif(not REAL_DIGITS.exists(), reason="this machine does not have the real digits")
def test_the_seventy_thousand_real_digits_have_the_published_sizes() -> None:
    data = load("rotated-mnist", REAL_DIGITS)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [10000, 2000, 50000]
    assert data.name == "rotated-mnist-generated"
