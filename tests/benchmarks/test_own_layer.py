"""A user's layer is built from its name, and whatever is wrong with it is one line that says what."""

import sys
from pathlib import Path

import pytest
import torch

from benchmarks.cases import Case
from benchmarks.isolation import InvalidResult
from benchmarks.measure.correctness import check_output
from benchmarks.own_layer import InvalidLayer, build_own_layer, load_layer
from benchmarks.workloads import build
from examples.own_layer import P4Conv2d
from gcnn_impl import SO2, assert_equivariant

P4 = Case(implementation="examples.own_layer:P4Conv2d", variant="custom", resolution=4, image_size=9, batch_size=1)
LAYERS = """
import torch
from torch import nn

class Base(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, *, group, padding):
        super().__init__()

class Raises(Base):
    def forward(self, x):
        raise RuntimeError("not today")

class Shrinks(Base):
    def forward(self, x):
        return x[..., 1:-1, 1:-1]

class Nan(Base):
    def forward(self, x):
        return x / 0 * 0

class Shifts(Base):
    def forward(self, x):
        return x.roll(1, dims=-1)

class Pair(Base):
    def forward(self, x):
        return x, x

class Dilated(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, dilation):
        super().__init__()

def function(x):
    return x
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with a user's modules."""
    (tmp_path / "users_layers.py").write_text(LAYERS)
    (tmp_path / "users_script.py").write_text("import sys; sys.exit('usage: users_script FILE')")
    (tmp_path / "users_typo.py").write_text("import users_nothing")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # undone with the test
    return tmp_path


def own(layer: str) -> Case:
    return Case(implementation=layer, variant="custom", channels=2, batch_size=1, image_size=8)


def test_the_example_is_equivariant() -> None:
    torch.manual_seed(0)
    layer = P4Conv2d(2, 3, 5, group=SO2(4), padding=2)
    assert_equivariant(layer, torch.randn(2, 2, 4, 9, 9), SO2(4))


def test_a_layer_is_built_with_the_channels_kernel_group_and_padding_of_its_case() -> None:
    layer = build_own_layer(P4)
    assert isinstance(layer, P4Conv2d)
    assert layer.weight.shape == (P4.channels, P4.channels, 4, P4.kernel_size, P4.kernel_size)
    assert check_output(build(P4)) < 1e-5


def test_the_current_directory_is_searched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if entry != str(folder)])
    assert load_layer("users_layers:Nan").__name__ == "Nan"


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("users_nothing:Nan", "users_nothing cannot be imported: ModuleNotFoundError: No module named 'users_nothing'"),
        ("users_typo:Nan", "users_typo cannot be imported: ModuleNotFoundError: No module named 'users_nothing'"),
        ("users_script:Nan", "users_script cannot be imported: SystemExit: usage: users_script FILE"),
        ("users_layers:Shrink", "Shrink is no torch.nn.Module in users_layers; allowed: Base, Raises, Shrinks, Nan"),
        ("users_layers:function", "function is no torch.nn.Module in users_layers; allowed: "),
        ("users_script.deep:Nan", "users_script.deep cannot be imported"),
        ("examples:P4Conv2d", "examples; allowed: nothing in there, it has no subclass of torch.nn.Module"),
        ("users_layers:Dilated", "raises TypeError: Dilated.__init__() got an unexpected keyword argument 'group'"),
        ("examples.own_layer:P4Conv2d", "raises ValueError: P4Conv2d turns by 90°, not by SO2(rotations=8); allowed: "),
    ],
)
def test_what_cannot_be_built_is_named_in_one_line(layer: str, message: str, folder: Path) -> None:
    with pytest.raises(InvalidLayer) as caught:
        build(own(layer))
    assert str(caught.value).startswith(f"layer {layer!r}: ")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("Shrinks", r"output has shape \(1, 2, 8, 6, 6\), expected \(1, 2, 8, 8, 8\)"),
        ("Nan", "output has values that are not finite"),
        ("Shifts", "equivariance error"),
        ("Pair", "output is a tuple, expected a tensor"),
    ],
)
def test_a_wrong_answer_is_not_measured(layer: str, message: str, folder: Path) -> None:
    with pytest.raises(InvalidResult, match=message):
        check_output(build(own(f"users_layers:{layer}")))
