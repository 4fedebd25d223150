"""The files of a small network, and its forms measured in this process."""

import importlib.util
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmarks.deployment import worker
from benchmarks.deployment.forms import FILES, WEIGHTS, FormTask, WritingTask
from benchmarks.deployment.worker import FEWEST_PASSES, measure_form, write_file
from benchmarks.records.outcome import InvalidResult, Skipped
from tests.benchmarks.deployment.made_up import CASE

LAYER = replace(CASE, layer="conv")  # a network takes longer to export


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the weights of the separable network."""
    found = tmp_path_factory.mktemp("deployed")
    assert write_file(WritingTask(CASE, WEIGHTS, found))["bytes"] == (found / WEIGHTS).stat().st_size
    return found


def measured(form: str, folder: Path, case: Any = CASE) -> dict[str, Any]:
    return measure_form(FormTask(case, form, folder, 0.001))


@pytest.mark.parametrize("form", ["eager", "frozen"])
def test_a_network_answers_from_its_weights_as_before(form: str, folder: Path) -> None:
    found = measured(form, folder)
    assert found["error"] < 1e-5
    assert found["first_answer"] > 0
    assert len(found["passes"]) >= FEWEST_PASSES


def test_the_frozen_form_is_frozen_and_the_eager_one_is_not(folder: Path) -> None:
    forms = {
        name: load(CASE, folder / WEIGHTS) for name, load in worker._LOADERS.items() if name in ("eager", "frozen")
    }
    frozen = {name: any(getattr(layer, "_frozen", None) for layer in form.modules()) for name, form in forms.items()}
    assert frozen == {"eager": False, "frozen": True}


def test_the_compiled_form_calls_the_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[nn.Module] = []
    monkeypatch.setattr(torch, "compile", lambda module: given.append(module) or module)
    assert measured("compiled", folder)["error"] < 1e-5
    assert not given[0].training


@pytest.mark.parametrize("form", ["exported", "onnx"])
def test_an_exported_network_answers_without_its_code(form: str, tmp_path: Path) -> None:
    if form == "onnx":
        pytest.importorskip("onnxscript", reason="the ONNX exporter needs onnxscript")
        pytest.importorskip("onnxruntime", reason="running the exported model needs onnxruntime")
    write_file(WritingTask(LAYER, WEIGHTS, tmp_path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the exporters
        assert write_file(WritingTask(LAYER, FILES[form], tmp_path))["writing_seconds"] > 0
        assert measured(form, tmp_path, LAYER)["error"] < 1e-5


def test_a_form_with_another_output_is_invalid(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(case: Any, path: Path) -> Any:
        network = worker._eager(case, path)
        return lambda x: 2 * network(x)

    monkeypatch.setitem(worker._LOADERS, "frozen", twice)
    with pytest.raises(InvalidResult, match=r"^relative error 1 against the eager network, allowed: 0\.001$"):
        measured("frozen", folder)


def test_without_its_package_a_form_is_skipped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        assert name in ("onnxscript", "onnxruntime")

    monkeypatch.setattr(importlib.util, "find_spec", absent)
    with pytest.raises(Skipped, match="^onnxscript is not installed; get it with: pip install onnx onnxscript onnxr"):
        write_file(WritingTask(CASE, FILES["onnx"], folder))
    with pytest.raises(Skipped, match="^onnxruntime is not installed; get it with: pip install onnx onnxscript onnx"):
        measured("onnx", folder)


def test_a_writer_is_used_without_gradients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def writes(network: nn.Module, x: Tensor, path: Path) -> None:
        assert not torch.is_grad_enabled()
        assert not network.training
        path.write_bytes(b"123")

    monkeypatch.setitem(worker._WRITERS, FILES["exported"], writes)
    assert write_file(WritingTask(LAYER, FILES["exported"], tmp_path))["bytes"] == 3
