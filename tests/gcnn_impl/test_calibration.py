"""Tests of the calibration of the Fourier transform over the plane: what is measured, kept, and believed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gcnn_impl import SO2, GroupConv2d, calibration, functional, native
from gcnn_impl.calibration import MOST, NOISE, believed, fastest, fourier_pays, ratio
from gcnn_impl.fourier import COSTS_IN_C, relative_cost
from gcnn_impl.native import cache

pytestmark = pytest.mark.skipif(native.status() != "in use", reason=native.status())
LAYER = {"height": 28, "width": 28, "in_maps": 64, "out_maps": 64, "taps": 29, "radius": 3, "in_c": True}


@pytest.fixture(autouse=True)
def new_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A calibrating process with an empty cache; the operators are loaded already."""
    monkeypatch.delenv(calibration.VARIABLE)
    monkeypatch.setattr(cache, "folders", lambda: iter([tmp_path / "kept", tmp_path / "spare"]))
    calibration._calibrated.cache_clear()
    yield tmp_path / "kept"
    calibration._calibrated.cache_clear()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of threads at each measurement; every measurement finds that the transform takes twice as long."""
    calls: list[int] = []
    monkeypatch.setattr(calibration, "measured_ratios", lambda: calls.append(torch.get_num_threads()) or [2.0])
    return calls


def test_each_layer_is_timed_on_one_thread_and_leaves_the_process_as_it_was() -> None:
    state, threads, dtype = torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        ratios = calibration.measured_ratios()
    finally:
        torch.set_default_dtype(dtype)
    assert len(ratios) == len(calibration.LAYERS)
    assert all(0.01 < found < 100 for found in ratios)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_both_ways_that_are_timed_convolve_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    def compared(ways):
        transform, direct = (way() for way in ways)
        torch.testing.assert_close(transform, direct, rtol=0, atol=1e-5 * float(direct.abs().max()))
        return [1.0, 1.0]

    monkeypatch.setattr(calibration, "fastest", compared)
    assert len(calibration.measured_ratios()) == len(calibration.LAYERS)


def test_the_fastest_call_counts_and_the_first_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now, turns = [0.0], calibration.TURNS
    monkeypatch.setattr(calibration.time, "perf_counter", lambda: now[0])
    seconds = {"a": iter([0.5, *(range(9, 9 - turns, -1))]), "b": iter([0.5, *range(11, 11 + turns)])}

    def way(name):
        def call():
            now[0] += next(seconds[name])

        return call

    assert fastest((way("a"), way("b"))) == [10 - turns, 11]


@pytest.mark.parametrize(("ratios", "found"), [((1.2,), 1.0), ((0.5, 2.0), 1.0), ((1.5, 1.5), 1.5), ((99.0,), MOST)])
def test_small_ratios_are_noise_and_huge_ones_are_bounded(ratios: tuple[float, ...], found: float) -> None:
    assert believed(list(ratios)) == pytest.approx(found)
    assert believed([1 / each for each in ratios]) == pytest.approx(1 / found, abs=0.01)


def test_a_process_measures_once_and_the_next_one_reads(measured: list[int], new_cache: Path) -> None:
    assert [ratio(), ratio()] == [2.0, 2.0]
    calibration._calibrated.cache_clear()  # as in a new process
    assert ratio() == 2.0
    assert len(measured) == 1
    assert [path.name for path in new_cache.iterdir()] == [calibration._name()]


@pytest.mark.parametrize("content", [b"", b"2.0", b"many" + bytes(32), b"nan"])
def test_a_damaged_file_is_measured_anew(content: bytes, measured: list[int], new_cache: Path) -> None:
    new_cache.mkdir(mode=0o700)
    (new_cache / calibration._name()).write_bytes(content)
    assert ratio() == 2.0
    assert len(measured) == 1


def test_a_number_that_cannot_be_is_measured_anew(measured: list[int], new_cache: Path) -> None:
    cache.make_private(new_cache)
    cache.store(new_cache / calibration._name(), b"nan")
    assert ratio() == 2.0


def test_a_file_that_others_may_write_is_not_believed(measured: list[int], new_cache: Path) -> None:
    cache.make_private(new_cache)
    cache.store(new_cache / calibration._name(), b"0.5")
    (new_cache / calibration._name()).chmod(0o666)
    assert ratio() == 2.0


def test_without_a_folder_the_ratio_is_used_all_the_same(measured: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "folders", lambda: iter([Path("/dev/null/no")]))
    assert [ratio(), ratio()] == [2.0, 2.0]
    assert len(measured) == 1


def test_the_variable_turns_the_measurement_off(measured: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(calibration.VARIABLE, "0")
    assert ratio() == 1.0
    assert not measured


def test_a_transformation_or_a_mode_never_measures(measured: list[int]) -> None:
    class Watching(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            return func(*args, **(kwargs or {}))

    with Watching():
        assert ratio() == 1.0
    torch.func.vmap(lambda x: x * ratio())(torch.ones(2))
    assert not measured
    assert ratio() == 2.0


def test_the_ratio_decides_where_fitted_times_are_near(measured: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    batch = next(b for b in range(1, 64) if 1 / NOISE < COSTS_IN_C.margin * relative_cost(b, **LAYER) < 1)
    assert not fourier_pays(batch, **LAYER)  # twice as long as fitted
    monkeypatch.setenv(calibration.VARIABLE, "0")
    assert fourier_pays(batch, **LAYER)


def test_an_empty_batch_needs_no_transform(measured: list[int]) -> None:
    assert not fourier_pays(0, **LAYER)
    assert not measured


def test_layers_far_from_the_limit_need_no_measurement(measured: list[int]) -> None:
    assert not fourier_pays(1, **{**LAYER, "in_maps": 2, "out_maps": 2})
    assert not measured


def test_compiled_code_chooses_by_the_ratio(measured: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    convolve = functional.fourier_conv.convolve
    monkeypatch.setattr(functional.fourier_conv, "convolve", lambda *given: calls.append(given) or convolve(*given))
    layer, x = GroupConv2d(8, 8, 7, SO2(8), padding=3), torch.randn(4, 8, 8, 28, 28)
    for variable, transforms in (("1", False), ("0", True)):
        monkeypatch.setenv(calibration.VARIABLE, variable)
        for way in (layer, torch.compile(layer, backend="eager")):
            torch._dynamo.reset()
            calls.clear()
            with torch.no_grad():
                way(x)
            assert bool(calls) == transforms
