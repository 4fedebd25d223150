"""Peers do the same arithmetic on the same maps and are equivariant if they should be, or say why they are missing."""

import copy
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.cases.case import Case
from benchmarks.cases.peers import AUTHORS_VARIABLE, PEERS
from benchmarks.measure.correctness import check_output
from benchmarks.measure.macs import trace_macs
from benchmarks.workloads.build import build_workload
from benchmarks.workloads.peers import PeerUnavailable, build_peer, why_unavailable
from benchmarks.workloads.workload import Workload

SMALL: dict[str, Any] = {"channels": 2, "batch_size": 2, "image_size": 9, "kernel_size": 5}
TORCH = [("torch", variant, group) for variant in ("lifting", "full", "separable") for group in ("SO2", "O2", "RPlus")]
ESCNN = [("escnn", variant, group) for variant in ("lifting", "full") for group in ("SO2", "O2")]
AUTHORS = [("authors", variant, "SO2") for variant in PEERS["authors"].variants]


def case_of(implementation: str, variant: str, group: str, **fields: Any) -> Case:
    """Return a small case, |H| = 8."""
    scales = 8 if group == "RPlus" else 1
    return Case(implementation=implementation, variant=variant, group=group, scales=scales, **{**SMALL, **fields})


def build_or_skip(case: Case) -> Workload:
    try:
        return build_workload(case)
    except PeerUnavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(("implementation", "variant", "group"), [*TORCH, *ESCNN, *AUTHORS])
def test_a_peer_has_the_shape_and_equivariance_of_ours(implementation: str, variant: str, group: str) -> None:
    workload = build_or_skip(case_of(implementation, variant, group))
    error = check_output(workload)  # raises for a wrong shape and for an output that is not equivariant
    assert error is None if implementation == "torch" else error is not None and error < 1e-5


@pytest.mark.parametrize(("implementation", "variant", "group"), [*TORCH, *ESCNN, *AUTHORS])
def test_gradients_reach_the_input_and_every_parameter_of_a_peer(implementation: str, variant: str, group: str) -> None:
    workload = build_or_skip(case_of(implementation, variant, group, direction="forward_backward"))
    workload.run()
    leaves = [workload.x, *workload.module.parameters()]
    assert all(leaf.grad is not None and leaf.grad.isfinite().all() and leaf.grad.any() for leaf in leaves)


@pytest.mark.parametrize("variant", ["lifting", "full", "separable"])
def test_fixed_weights_have_the_macs_of_our_convolutions(variant: str) -> None:
    ours, peer = (build_workload(case_of(name, variant, "SO2")) for name in ("gcnn_impl", "torch"))
    assert trace_macs(peer.module, peer.x)["convolution"] == trace_macs(ours.module, ours.x)["convolution"]


@pytest.mark.parametrize(
    ("implementation", "variant"), [("escnn", "full"), ("authors", "full"), ("authors", "separable")]
)
def test_a_peer_has_the_macs_of_our_convolution_and_of_its_own_kernels(implementation: str, variant: str) -> None:
    ours = build_workload(case_of("gcnn_impl", variant, "SO2"))
    peer = build_or_skip(case_of(implementation, variant, "SO2"))
    convolution = trace_macs(ours.module, ours.x)["convolution"]
    # Kernels are made once for a batch, so twice the batch adds the convolution alone.
    once, twice = (trace_macs(peer.module, x)["convolution"] for x in (peer.x, torch.cat([peer.x, peer.x])))
    assert twice - once == convolution
    assert once > convolution


def test_escnn_keeps_its_filter_only_if_kernels_are_cached() -> None:
    cached, generated = (
        build_or_skip(case_of("escnn", "full", "SO2", kernels=kernels)) for kernels in ("cached", "generated")
    )
    for workload in (cached, generated):
        workload.prepare()
    assert "layer.filter" in dict(cached.module.named_buffers())
    assert "layer.filter" not in dict(generated.module.named_buffers())
    assert torch.allclose(cached.run(), generated.run(), atol=1e-6)


@pytest.mark.parametrize(("implementation", "variant", "group"), [TORCH[0], ESCNN[0], AUTHORS[0]])
def test_a_peer_can_be_copied_in_both_modes(implementation: str, variant: str, group: str) -> None:
    module = build_or_skip(case_of(implementation, variant, group)).module
    for mode in (False, True):
        assert isinstance(copy.deepcopy(module.train(mode)), nn.Module)


@pytest.mark.parametrize(
    ("implementation", "variant", "group", "reason"),
    [
        ("torch", "gseparable", "SO2", "torch has no variant 'gseparable'; it has: lifting, full, separable"),
        ("escnn", "separable", "SO2", "escnn has no variant 'separable'; it has: lifting, full"),
        ("escnn", "full", "RPlus", "escnn has no group 'RPlus'; it has: SO2, O2"),
        ("authors", "full", "O2", "authors has no group 'O2'; it has: SO2"),
    ],
)
def test_what_a_peer_lacks_is_a_reason_in_one_line(implementation: str, variant: str, group: str, reason: str) -> None:
    case = case_of(implementation, variant, group)
    assert why_unavailable(case) == reason
    with pytest.raises(PeerUnavailable, match=reason):
        build_peer(case)


def test_escnn_that_is_not_installed_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "escnn", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert why_unavailable(case_of(*ESCNN[0])) == "escnn is not installed; `nox -s peers` installs it"


def test_escnn_that_is_broken_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forget_package("escnn", monkeypatch)
    (tmp_path / "escnn.py").write_text("raise ValueError('numpy.dtype size changed')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PeerUnavailable, match=r"escnn cannot be imported: ValueError: numpy\.dtype size changed"):
        build_peer(case_of(*ESCNN[0]))


def test_no_checkout_of_the_authors_code_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of(*AUTHORS[0])
    monkeypatch.delenv(AUTHORS_VARIABLE, raising=False)
    assert "no checkout of the authors' code; give --authors PATH or GCNN_AUTHORS: https://" in str(
        why_unavailable(case)
    )
    monkeypatch.setenv(AUTHORS_VARIABLE, str(tmp_path))
    assert why_unavailable(case) == f"{tmp_path} is no checkout of the authors' code: it has no folder ck_g_cnn"
    (tmp_path / "ck_g_cnn").mkdir()
    forget_package("ck_g_cnn", monkeypatch)
    with pytest.raises(PeerUnavailable, match="cannot be imported: No module named 'ck_g_cnn.groups'"):
        build_peer(case)


def forget_package(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo the import of a package, and remove the package's folder from Python's path."""
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if not (Path(folder) / name).is_dir()])
