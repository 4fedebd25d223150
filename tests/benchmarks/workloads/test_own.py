"""A user's layer is built from its name, and every error is one line that says what is wrong."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import benchmarks.__main__ as command_line
from benchmarks.cases.case import Case
from benchmarks.measure.correctness import check_gradients, check_output
from benchmarks.measure.sampling import Sampling
from benchmarks.records.outcome import InvalidResult
from benchmarks.records.provenance import ROOT
from benchmarks.records.store import RecordStore
from benchmarks.sweep.engine import Engine
from benchmarks.sweep.sweep import sweep
from benchmarks.workloads.build import build_workload
from benchmarks.workloads.own import InvalidModule, build_own_layer, load_layer
from examples.own_layer import P4Conv2d
from examples.own_network import separable_cnn
from gcnn_impl import SO2, assert_equivariant

P4 = Case(implementation="examples.own_layer:P4Conv2d", variant="custom", resolution=4, image_size=9, batch_size=1)
LAYERS = """
import os
import torch
from torch import nn

from benchmarks.workloads.adapted import Adapted

class Base(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, *, group, padding):
        super().__init__()

class Raises(Base):
    def forward(self, x):
        raise RuntimeError("not today")

class Dies(Base):
    def forward(self, x):
        os._exit(3)

class Talks(Base):
    def forward(self, x):
        print("x" * 1_000_000)
        return x

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

class Double(Base):
    def forward(self, x):
        return x.double()

class Half(Base):
    def forward(self, x):
        return x.half()

class Sparse(Base):
    def forward(self, x):
        return x.to_sparse()

class Elsewhere(Base):
    def forward(self, x):
        return x.to("meta")

class Wrapped(Base):
    def forward(self, x):
        return nn.Parameter(x.detach(), requires_grad=False)

class DoubleInTraining(Base):
    def forward(self, x):
        return x.double() if self.training else x

class Detached(Base):
    def forward(self, x):
        return x.detach()

class Scales(Base):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return x.detach() * self.weight

class NanGradient(Scales):
    def forward(self, x):
        return torch.where(x == x, x * self.weight, torch.sqrt(-x.abs() - 1) * self.weight)

class Dilated(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size, dilation):
        super().__init__()

def function(x):
    return x

NUMBER = 3

def nothing(in_channels, out_channels, kernel_size, *, group, padding):
    pass

class Field:
    def __init__(self, values):
        self.values = values

class OnFields(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, 1, 1, 1))

    def forward(self, field):
        maps = field.values.unflatten(1, (len(self.weight), -1)) * self.weight[None]
        return Field(maps.flatten(1, 2))

def on_fields(in_channels, out_channels, kernel_size, *, group, padding):
    def unwrap(field):
        return field.values.unflatten(1, (-1, group.resolution))
    return Adapted(OnFields(in_channels), lambda x: Field(x.flatten(1, 2)), unwrap)
"""


def own(layer: str) -> Case:
    return Case(implementation=layer, variant="custom", channels=2, batch_size=1, image_size=8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder on Python's path, for a user's modules."""
    (tmp_path / "users_layers.py").write_text(LAYERS)
    (tmp_path / "users_script.py").write_text("import sys; sys.exit('usage: users_script FILE')")
    (tmp_path / "users_typo.py").write_text("import users_nothing")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_example_is_equivariant() -> None:
    torch.manual_seed(0)
    layer = P4Conv2d(2, 3, 5, group=SO2(4), padding=2)
    assert_equivariant(layer, torch.randn(2, 2, 4, 9, 9), SO2(4))


def test_the_example_of_a_network_of_our_layers_is_invariant() -> None:
    torch.manual_seed(0)
    network = separable_cnn(3, 10, 16, channels=4)
    assert network(torch.randn(2, 3, 16, 16)).shape == (2, 10)
    assert_equivariant(network.eval(), torch.randn(2, 3, 16, 16), SO2(8))


def test_a_layer_is_built_with_the_channels_kernel_group_and_padding_of_its_case() -> None:
    layer = build_own_layer(P4)
    assert isinstance(layer, P4Conv2d)
    assert layer.weight.shape == (P4.channels, P4.channels, 4, P4.kernel_size, P4.kernel_size)
    assert check_output(build_workload(P4)) < 1e-5


def test_a_function_may_adapt_a_layer_that_takes_other_things_than_tensors(folder: Path) -> None:
    workload = build_workload(own("users_layers:on_fields"))
    assert check_output(workload) < 1e-5
    check_gradients(workload)


def test_the_current_directory_is_searched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if entry != str(folder)])
    monkeypatch.chdir(folder)
    assert load_layer("users_layers:Nan").__name__ == "Nan"


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("users_nothing:Nan", "users_nothing cannot be imported: ModuleNotFoundError: No module named 'users_nothing'"),
        ("users_nothing:Nan", "No module named 'users_nothing'; looked in "),
        ("users_nothing.deep:Nan", f"; looked in {Path.cwd()} and in this Python's packages"),
        ("users_typo:Nan", "users_typo cannot be imported: ModuleNotFoundError: No module named 'users_nothing'"),
        ("users_script:Nan", "users_script cannot be imported: SystemExit: usage: users_script FILE"),
        (
            "users_layers:Shrink",
            "Shrink is no torch.nn.Module and no function in users_layers; did you mean Shrinks? allowed: Adapted,",
        ),
        ("users_layers:NUMBER", "NUMBER is no torch.nn.Module and no function in users_layers; allowed: "),
        ("users_layers:function", "raises TypeError: function() got an unexpected keyword argument 'group'"),
        ("users_layers:nothing", "group=group, padding=padding) returns a NoneType; allowed: torch.nn.Module"),
        ("users_script.deep:Nan", "users_script.deep cannot be imported"),
        ("users_nothing.py:Nan", "; perhaps users_nothing:Nan is meant"),
        ("examples:P4Conv2d", "examples; allowed: nothing, because the module has no subclass of torch.nn.Module"),
        (
            "users_layers:Dilated",
            "raises TypeError: Dilated.__init__() got an unexpected keyword argument 'group'; a function that builds "
            "it may stand in its place (docs/own-layer.md)",
        ),
        ("examples.own_layer:P4Conv2d", "raises ValueError: P4Conv2d turns by 90°, not by SO2(rotations=8); allowed: "),
    ],
)
def test_a_layer_that_cannot_be_built_is_an_error_in_one_line(layer: str, message: str, folder: Path) -> None:
    with pytest.raises(InvalidModule) as caught:
        build_workload(own(layer))
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
        ("Double", r"output has dtype torch\.float64, expected torch\.float32$"),
        ("Half", r"output has dtype torch\.float16, expected torch\.float32$"),
        ("Sparse", r"output has layout torch\.sparse_coo, expected torch\.strided$"),
        ("Elsewhere", "output has device meta, expected cpu$"),
        ("Wrapped", r"output has type <class 'torch\.nn\.parameter\.Parameter'>, expected <class 'torch\.Tensor'>$"),
    ],
)
def test_a_wrong_output_is_refused(layer: str, message: str, folder: Path) -> None:
    with pytest.raises(InvalidResult, match=message):
        check_output(build_workload(own(f"users_layers:{layer}")))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("Double", r"output has dtype torch\.float64, expected torch\.bfloat16 or torch\.float32$"),
        ("Half", r"output has dtype torch\.float16, expected torch\.bfloat16 or torch\.float32$"),
        ("Pair", "output is a tuple, expected a tensor"),
    ],
)
def test_a_wrong_output_with_autocast_is_refused(layer: str, message: str, folder: Path) -> None:
    with pytest.raises(InvalidResult, match=message):
        check_output(build_workload(replace(own(f"users_layers:{layer}"), dtype="bfloat16")))


@pytest.mark.parametrize("case", [own("tests.benchmarks.misbehaving_layers:Right"), P4], ids=lambda case: case.label)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_formats_of_autocast_and_of_the_input_are_accepted(case: Case, dtype: str) -> None:
    workload = build_workload(replace(case, dtype=dtype, direction="forward_backward", kernels=""))
    assert check_output(workload) < 0.05
    check_gradients(workload)
    assert workload.gradients() == []


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("DoubleInTraining", r"output has dtype torch\.float64, expected torch\.float32$"),
        ("Detached", "^output requires no gradient in training, expected one$"),
        ("Scales", "^the backward leaves no gradient of the input$"),
        ("NanGradient", "^a gradient has values that are not finite$"),
    ],
)
def test_a_wrong_backward_is_refused(layer: str, message: str, folder: Path) -> None:
    case = replace(own(f"users_layers:{layer}"), direction="forward_backward", kernels="")
    with pytest.raises(InvalidResult, match=message):
        check_gradients(build_workload(case))
    check_gradients(build_workload(own(f"users_layers:{layer}")))  # a pass without a backward has no gradients


def test_only_the_absent_module_itself_is_said_to_be_looked_for(folder: Path) -> None:
    for absent in ("users_typo:Nan", "users_script:Nan"):
        with pytest.raises(InvalidModule) as caught:
            load_layer(absent)
        assert "looked in" not in str(caught.value)


def test_a_constructor_that_raises_a_type_error_of_its_own_needs_no_function(folder: Path) -> None:
    (folder / "users_error.py").write_text(
        "from torch import nn\n\nclass Layer(nn.Module):\n    def __init__(self, *args, **options):\n        1 + ''\n"
    )
    with pytest.raises(InvalidModule, match=r"raises TypeError: .* \(users_error.py, line 5\)$"):
        build_own_layer(own("users_error:Layer"))


def test_a_failing_layer_affects_no_other_record(folder: Path) -> None:
    layers = ("Raises", "Dies", "Talks", "Nan", "Missing")
    tiny = {"channels": 2, "batch_size": 1, "image_size": 8, "kernel_size": 3, "threads": 1}
    cases = [Case(implementation=f"users_layers:{name}", variant="custom", **tiny) for name in layers]
    cases.append(Case(variant="full", **tiny))
    store = RecordStore(folder)
    sweep(cases, store, Engine(Sampling(rounds=1, min_samples=2, max_samples=4, seconds=0.001)))
    records = {record["id"]: record for record in store.load()}
    raises, dies, talks, nan, missing, ours = (records[case.id] for case in cases)
    assert [talks["status"], ours["status"]] == ["ok", "ok"]
    assert (raises["status"], raises["message"]) == ("failed", "RuntimeError: not today")
    assert (dies["status"], dies["message"]) == ("failed", "exited with status 3 and no result")
    assert (nan["status"], nan["message"]) == ("invalid", "InvalidResult: output has values that are not finite")
    assert missing["status"] == "failed"
    assert "Missing is no torch.nn.Module and no function in users_layers" in missing["message"]


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / "docs/own-layer.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("command", [line for block in code_blocks("sh") for line in block.splitlines()])
def test_every_command_of_the_page_runs(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "escnn" in command:
        pytest.importorskip("escnn")
    monkeypatch.chdir(ROOT)
    arguments = command.removeprefix("python -m benchmarks").replace(".peers", "peers", 1).split()
    small = "--channels 2 --batch-size 1 --image-size 8 --kernel-size 3 --threads 1 --direction forward --rounds 1"
    assert command_line.main([*arguments, *small.split(), "--seconds", "0.001", "--results", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out
    assert "failed" not in err
