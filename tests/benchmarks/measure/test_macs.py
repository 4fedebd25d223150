"""The MAC counts of fvcore, torch's counter and closed forms agree, and every operator with MACs is counted."""

import contextlib
import copy
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._C._autograd import DeviceType
from torch.nn import functional
from torch.nn.functional import conv2d, scaled_dot_product_attention
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.cases.case import Case
from benchmarks.measure import macs as flops
from benchmarks.measure.macs import step_macs, trace_macs, zero_counted_time_share
from benchmarks.measure.stages import StageClock
from benchmarks.records.costs import pass_macs
from benchmarks.workloads.build import build_workload
from benchmarks.workloads.workload import Workload
from gcnn_impl import generation_macs, module_macs, native
from tests.benchmarks.conftest import Cuda

# Operators without a rule in fvcore and without MACs: elementwise, indexing, reshaping, pooling, reductions.
HARMLESS = {
    "aten::add",
    "aten::amax",
    "aten::cat",
    "aten::feature_dropout",
    "aten::index_select",
    "aten::max_pool2d",
    "aten::movedim",
    "aten::mul",
    "aten::pad",
    "aten::repeat",
    "aten::repeat_interleave",
    "aten::sin",
    "aten::sub",
    "aten::unflatten",
}
SHAPES: list[dict[str, Any]] = [
    {"channels": 3, "resolution": 4, "batch_size": 2, "image_size": 8, "kernel_size": 3},
    {"channels": 4, "resolution": 3, "batch_size": 1, "image_size": 9, "kernel_size": 5},
    {"channels": 5, "resolution": 8, "batch_size": 3, "image_size": 7, "kernel_size": 1},
    {"channels": 2, "resolution": 1, "batch_size": 2, "image_size": 10, "kernel_size": 7},
]


def closed_form(case: Case, taps: int) -> int:
    """Return the MACs of a layer's convolution, C → C channels on |H| elements, which keeps the image size."""
    outputs = case.batch_size * case.channels * case.resolution * case.image_size**2
    return {
        "plain": outputs * case.channels * taps,
        "lifting": outputs * case.channels * taps,
        "full": outputs * case.channels * case.resolution * taps,
        "separable": outputs * case.channels * case.resolution + outputs * taps,
    }[case.variant]


def layer_case(variant: str, shape: dict[str, Any]) -> Case:
    plain = {"group": "trivial", "resolution": 1} if variant == "plain" else {}
    return Case(variant=variant, **(shape | plain))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("variant", ["plain", "lifting", "full", "separable"])
def test_the_macs_of_a_convolution_follow_from_its_definition(variant: str, shape: dict[str, Any]) -> None:
    case = layer_case(variant, shape)
    workload = build_workload(case)
    macs = trace_macs(workload.module, workload.x)
    assert macs["convolution"] == closed_form(case, case.kernel_size**2)
    assert set(macs["unsupported"]) <= HARMLESS


def test_kernel_generation_is_three_matrix_products_at_every_distinct_point_and_does_not_depend_on_the_batch() -> None:
    # The smallest case: with |H| = 1 and k = 1, the net maps one point (x, y) through 64 and 64 units to C·C values.
    counts = set()
    for batch_size in (1, 3):
        workload = build_workload(
            Case(variant="lifting", resolution=1, kernel_size=1, channels=5, batch_size=batch_size)
        )
        counts.add(trace_macs(workload.module, workload.x)["kernel_generation"])
    assert counts == {2 * 64 + 64 * 64 + 64 * 25}


def test_a_plain_network_generates_no_kernels_and_counts_its_layers() -> None:
    workload = build_workload(
        Case(layer="resnet", variant="plain", group="trivial", resolution=1, channels=4, image_size=16, batch_size=2)
    )
    macs = trace_macs(workload.module, workload.x)
    c, taps = 4, 25
    per_image = (
        16**2 * c * taps  # the first layer, from one channel
        + 16**2 * (c * c * taps) * 2  # the first block, 4 → 4
        + 8**2 * (c * c * taps + 2 * c * c * taps + 2 * c * c)  # the second, 4 → 8, and its skip
        + 2**2 * (2 * c) ** 2 * 9  # the last, unpadded, on 4×4
        + 2 * c * 256
        + 256 * 10  # the classifier
    )
    assert macs["kernel_generation"] == 0
    assert macs["convolution"] == 2 * per_image


@pytest.mark.parametrize("batch_size", [1, 2])
def test_counting_a_network_does_not_change_it(batch_size: int) -> None:
    workload = build_workload(
        Case(layer="resnet", channels=2, image_size=9, batch_size=batch_size, kernel_size=3, resolution=2)
    )
    state = copy.deepcopy(workload.module.state_dict())
    macs = trace_macs(workload.module, workload.x)
    assert not workload.module.training
    for name, value in workload.module.state_dict().items():
        assert torch.equal(value, state[name]), name
    assert macs["kernel_generation"] > 0
    assert set(macs["unsupported"]) <= HARMLESS


def test_kernel_generation_is_counted_although_the_kernels_are_cached() -> None:
    workload = build_workload(Case(channels=2, batch_size=1, image_size=8, kernel_size=3, resolution=2))
    before = trace_macs(workload.module, workload.x)
    workload.run()
    assert trace_macs(workload.module, workload.x) == before
    assert before["kernel_generation"] > 0


@pytest.mark.parametrize("kernel_size", [3, 4])
def test_a_convolution_that_fvcore_has_no_rule_for_is_counted(kernel_size: int) -> None:
    conv = nn.Conv2d(2, 6, kernel_size, padding="same")
    macs = trace_macs(conv, torch.zeros(1, 2, 5, 5, requires_grad=True))
    assert macs["convolution"] == 5 * 5 * 2 * 6 * kernel_size**2
    assert macs["backward"] == 2 * macs["convolution"]
    assert "aten::_convolution_mode" in macs["unsupported"]
    assert macs["not_counted"] is None


def test_importing_fvcore_and_counting_print_no_warnings() -> None:
    code = (
        "import torch; from benchmarks.measure.macs import trace_macs;"
        "print(trace_macs(torch.nn.Conv2d(1, 1, 3), torch.zeros(1, 1, 3, 3))['convolution'])"
    )
    done = subprocess.run([sys.executable, "-W", "default", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("9\n", "")


VARIANTS = ["plain", "lifting", "full", "separable", "gseparable", "dseparable", "dgseparable", "separable2d"]
LAYERS = [("conv", variant) for variant in VARIANTS] + [("resnet", v) for v in VARIANTS if v != "lifting"]


def any_case(layer: str, variant: str, direction: str = "forward_backward") -> Case:
    """Return a case whose sizes are all different, so that no size can be mistaken for another."""
    group: dict[str, Any] = {"plain": {"group": "trivial", "resolution": 1}}.get(variant, {"group": "SO2"})
    if variant == "separable2d":
        group = {"group": "SO2xRPlus", "scales": 2}
    sizes = {"channels": 3, "resolution": 4, "batch_size": 2, "image_size": 10, "kernel_size": 5}
    return Case(layer=layer, variant=variant, direction=direction, **(sizes | group))


def counted_macs(run: Callable[[], object]) -> int:
    """Count MACs by torch's counter, with weight gradients of grouped convolutions corrected."""

    def convolution_backward(
        gradient: Any, x: Any, weight: Any, *geometry: Any, out_shape: Any = None, **options: Any
    ) -> int:
        transposed, mask = geometry[4], geometry[-1]
        assert not transposed
        product = 2 * math.prod(gradient) * math.prod(weight[1:])
        return product * sum(mask[:2])

    corrected = {torch.ops.aten.convolution_backward: convolution_backward}
    with FlopCounterMode(display=False, custom_mapping=corrected) as counter:
        run()
    return counter.get_total_flops() // 2


def by_definition(workload: Workload) -> nn.Module:
    for module in workload.module.modules():
        if hasattr(module, "algorithm"):
            module.algorithm = "direct"
    return workload.module.train()


@pytest.mark.parametrize(("layer", "variant"), LAYERS)
def test_three_counts_of_a_forward_agree(layer: str, variant: str) -> None:
    workload = build_workload(any_case(layer, variant))
    macs = trace_macs(workload.module, workload.x)
    assert macs["convolution"] == module_macs(workload.module, workload.x)
    assert macs["kernel_generation"] == generation_macs(workload.module)
    module = by_definition(workload)
    with torch.no_grad():
        assert pass_macs(macs, generated=True, backward=False) == counted_macs(lambda: module(workload.x))
    assert set(macs["unsupported"]) <= HARMLESS


@pytest.mark.parametrize("differentiable_input", [False, True])
@pytest.mark.parametrize(("layer", "variant"), LAYERS)
def test_the_backward_rule_agrees_with_corrected_counts(layer: str, variant: str, differentiable_input: bool) -> None:
    workload = build_workload(any_case(layer, variant))
    x = workload.x.detach().requires_grad_(differentiable_input)
    macs = trace_macs(workload.module, x)
    y = by_definition(workload)(x)
    assert macs["backward"] == counted_macs(lambda: y.backward(workload.cotangent))
    assert workload.module.training


def test_backward_of_one_convolution_is_twice_its_forward_and_once_where_the_input_needs_no_gradient() -> None:
    conv, x = nn.Conv2d(4, 6, 3, groups=2), torch.zeros(1, 4, 5, 5)
    forward = 3 * 3 * 6 * 2 * 9
    assert trace_macs(conv, x.requires_grad_(True))["backward"] == 2 * forward
    assert trace_macs(conv, x.requires_grad_(False))["backward"] == forward
    assert trace_macs(conv.requires_grad_(False), x)["backward"] == 0
    assert pass_macs({"convolution": 5, "kernel_generation": 3, "backward": 7}, generated=False, backward=True) == 12


def macs_by_stage(workload: Workload) -> dict[str, float]:
    """Count the MACs of a forward in each stage, with torch's counter in place of the clock."""
    module = by_definition(workload)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        clock = StageClock(lambda: counter.get_total_flops() / 2)
        with clock.inside(module):
            module(workload.x.detach())
    return clock.total()


@pytest.mark.parametrize(("layer", "variant"), LAYERS)
def test_the_macs_of_the_stages_add_up(layer: str, variant: str) -> None:
    workload = build_workload(any_case(layer, variant))
    macs, stages = trace_macs(workload.module, workload.x), macs_by_stage(workload)
    assert stages.get("kernel_generation", 0) == macs["kernel_generation"]
    assert sum(stages.values()) - macs["kernel_generation"] == macs["convolution"]
    assert (stages.get("group_mixing", 0) > 0) == (variant not in ("plain", "lifting", "full", "gseparable"))
    if layer == "resnet":
        assert stages["other"] == 2 * (6 * 256 + 256 * 10)


def test_the_macs_of_the_stages_of_a_separable_layer_follow_from_its_definition() -> None:
    case = any_case("conv", "separable")
    workload = build_workload(case)
    stages = macs_by_stage(workload)
    outputs = 2 * 3 * 4 * 10 * 10
    assert stages["group_mixing"] == outputs * 3 * 4
    assert stages["spatial_convolution"] == outputs * 25


class _Module(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function, self.weight = function, nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class _Product(nn.Module):
    """A layer that multiplies images of 16 channels by a matrix of parameters, in whatever way."""

    def __init__(self, product: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.product, self.matrix = product, nn.Parameter(torch.ones(16, 16))

    def forward(self, x: Tensor) -> Tensor:
        return self.product(x, self.matrix)


@torch.jit.script  # type: ignore[untyped-decorator]
def scripted_product(x: Tensor, matrix: Tensor) -> Tensor:
    return x @ matrix


class _OnePlus(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, matrix: Tensor) -> Tensor:  # type: ignore[override]
        return x + x @ matrix

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # type: ignore[override]
        return gradient, None


@pytest.mark.parametrize(
    ("product", "macs"),
    [
        pytest.param(lambda x, matrix: x @ matrix, 65536, id="matmul"),
        pytest.param(lambda x, matrix: torch.tensordot(x, matrix, 1), 65536, id="tensordot"),
        pytest.param(lambda x, matrix: torch.einsum("bihw,oi->bohw", x, matrix), 65536, id="einsum"),
        pytest.param(lambda x, matrix: x.reshape(-1, 16).mv(matrix[0]), 4096, id="matrix times vector"),
        pytest.param(lambda x, matrix: torch.vdot(x.flatten(), matrix.repeat(16, 1).flatten()), 4096, id="dot"),
        pytest.param(lambda x, matrix: functional.layer_norm(x @ matrix, (16,)), 65536, id="layer norm"),
        pytest.param(lambda x, matrix: functional.adaptive_avg_pool2d(x @ matrix, 2), 65536, id="pooling"),
        pytest.param(lambda x, matrix: functional.softmax(x @ matrix, -1).cumsum(1).flip(0), 65536, id="reductions"),
        pytest.param(lambda x, matrix: torch.rot90(x @ matrix, 1, (2, 3)).roll(1), 65536, id="copies"),
        pytest.param(
            lambda x, matrix: functional.interpolate(x @ matrix, scale_factor=2, mode="bilinear"),
            65536 + 4 * 4 * 4096,
            id="interpolation",
        ),
        pytest.param(_OnePlus.apply, 65536, id="a function with its own backward"),
    ],
)
def test_operators_that_consist_of_products_are_counted(product: Callable[[Tensor, Tensor], Tensor], macs: int) -> None:
    counted = trace_macs(_Product(product), torch.ones(1, 16, 16, 16))
    assert counted["not_counted"] is None
    assert counted["convolution"] == macs
    assert counted["backward"] == macs  # the gradient of the matrix alone, or of its product alone


@pytest.mark.parametrize(
    ("product", "named"),
    [
        pytest.param(lambda x, matrix: torch.fft.rfft2(x @ matrix).abs(), "aten::_fft_r2c × 1", id="fft"),
        pytest.param(lambda x, matrix: torch.fft.fft(x) @ (1j * matrix), "aten::_fft_r2c × 1", id="fft and product"),
        pytest.param(lambda x, matrix: x @ torch.linalg.inv(matrix + torch.eye(16)), "linalg_inv_ex × 1", id="inverse"),
        pytest.param(lambda x, matrix: torch.cdist(x, matrix, 1.0), "aten::_cdist_forward × 1", id="distances"),
        pytest.param(lambda x, matrix: (x[..., None] * matrix).sum(-2), flops.NOTHING, id="product and sum"),
        pytest.param(
            lambda x, matrix: torch.from_numpy(x.numpy() @ matrix.detach().numpy()), flops.NOTHING, id="NumPy"
        ),
    ],
)
def test_a_module_with_an_operator_that_cannot_be_counted_has_no_macs(
    product: Callable[[Tensor, Tensor], Tensor], named: str
) -> None:
    counted = trace_macs(_Product(product), torch.ones(1, 16, 16, 16))
    assert named in counted["not_counted"]
    assert all(counted[part] is None for part in ("convolution", "kernel_generation", "backward"))
    for backward in (False, True):
        assert pass_macs(counted, generated=False, backward=backward) is None


@pytest.mark.parametrize(
    ("product", "named"),
    [
        pytest.param(lambda x, matrix: torch.einsum("bihw,oi,po->bphw", x, matrix, matrix), "einsum × 1", id="einsum"),
        pytest.param(
            lambda x, matrix: scripted_product(x, matrix), "operators outside of torch's functions", id="TorchScript"
        ),
        pytest.param(lambda x, matrix: torch.vmap(lambda one: one @ matrix)(x), "matmul × 1", id="vmap"),
        pytest.param(lambda x, matrix: scaled_dot_product_attention(x + matrix, x, x), "attention × 1", id="attention"),
    ],
)
def test_where_only_the_backward_cannot_be_counted_the_forward_is(
    product: Callable[[Tensor, Tensor], Tensor], named: str
) -> None:
    counted = trace_macs(_Product(product), torch.ones(1, 16, 16, 16))
    assert counted["not_counted"].startswith("the backward of ")
    assert named in counted["not_counted"]
    assert pass_macs(counted, generated=False, backward=False) in (65536, 2 * 65536)
    assert pass_macs(counted, generated=False, backward=True) is None


def test_a_module_that_cannot_be_traced_is_counted() -> None:
    matrix = torch.ones(16, 16, requires_grad=True)  # a constant to the tracer, which refuses it
    assert trace_macs(_Module(lambda x: x @ matrix), torch.ones(1, 16, 16, 16))["convolution"] == 65536


def test_the_macs_of_a_training_step_are_unknown_where_those_of_an_image_are() -> None:
    assert step_macs({"convolution": 100, "kernel_generation": 7}, batch_size=2) == 3 * 207
    assert step_macs({"convolution": None, "kernel_generation": None}, batch_size=2) is None


@pytest.mark.parametrize(
    ("function", "truth", "fvcore", "counter"),
    [
        pytest.param(lambda x: conv2d(x, x.new_zeros(16, 16, 3, 3), padding=1), 9 * 65536, 1.0, 1.0, id="conv2d"),
        pytest.param(lambda x: conv2d(x, x.new_zeros(16, 16, 3, 3), padding="same"), 9 * 65536, 0.0, 1.0, id="same"),
        pytest.param(lambda x: torch.tensordot(x, x.new_zeros(16, 16), 1), 65536, 0.0, 1.0, id="tensordot"),
        pytest.param(lambda x: x @ x.new_zeros(16, 16), 65536, 1.0, 1.0, id="matmul"),
        pytest.param(lambda x: scaled_dot_product_attention(x, x, x), 2 * 65536, 0.0, 1.0, id="attention"),
        pytest.param(lambda x: torch.fft.rfft2(x).abs(), 1, 0.0, 0.0, id="fft"),
    ],
)
def test_known_errors_of_the_counters(
    function: Callable[[Tensor], Tensor], truth: int, fvcore: float, counter: float
) -> None:
    """Check that each counter counts the known share of the true MACs, on x of shape (1, 16, 16, 16)."""
    x = torch.zeros(1, 16, 16, 16)
    by_module, unsupported = flops._fvcore_counts(_Module(function), x)
    assert by_module[""] == fvcore * truth
    assert (fvcore == 1) or unsupported  # fvcore names the operators that it leaves out
    assert counted_macs(lambda: function(x)) == counter * truth
    counted = trace_macs(_Module(function), x)
    assert counted["convolution"] == (counter * truth or None)
    assert (counted["not_counted"] is None) == (counter > 0)


def test_fvcore_rounds_an_einsum_but_the_count_is_exact() -> None:
    module = _Module(lambda x: torch.einsum("bihw,oi->bohw", x, x.new_zeros(8, 16)))
    x = torch.zeros(1, 16, 9, 9)
    assert flops._fvcore_counts(module, x)[0][""] == pytest.approx(16 * 8 * 81, rel=1e-2)
    assert trace_macs(module, x)["convolution"] == 16 * 8 * 81


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_torchs_counter_multiplies_a_weight_gradient_by_the_groups(groups: int) -> None:
    weight = torch.zeros(4, 4 // groups, 3, 3, requires_grad=True)
    y = conv2d(torch.zeros(1, 4, 6, 6), weight, groups=groups)
    with FlopCounterMode(display=False) as counter:
        y.backward(torch.ones_like(y))
    assert counter.get_total_flops() // 2 == y.numel() * weight[0].numel() * groups


def test_the_share_of_time_in_operators_that_count_as_zero() -> None:
    sines = _Module(lambda x: x.sin().cos().exp())
    product = _Module(lambda x: x @ x)
    square = torch.zeros(512, 512)

    def share(workload: Workload) -> float | None:
        workload.run()
        return zero_counted_time_share(workload)

    assert share(Workload(sines, torch.zeros(64, 256), torch.zeros(64, 256), None, False)) == 1
    assert (share(Workload(product, square, square, None, False)) or 1) < 0.5
    assert 0 < (share(build_workload(any_case("resnet", "separable"))) or 0) < 1


def test_on_a_gpu_the_time_of_a_kernel_is_not_counted_beside_that_of_its_operator(
    cuda: Cuda, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [
        SimpleNamespace(key="aten::cudnn_convolution", device_type=DeviceType.CPU, self_device_time_total=3.0),
        SimpleNamespace(key="aten::sin", device_type=DeviceType.CPU, self_device_time_total=1.0),
        SimpleNamespace(key="sm90_xmma_fprop", device_type=DeviceType.CUDA, self_device_time_total=3.0),
        SimpleNamespace(key="vectorized_elementwise_kernel", device_type=DeviceType.CUDA, self_device_time_total=1.0),
    ]
    asked: list[Any] = []

    @contextlib.contextmanager
    def profiled(activities: Any, acc_events: bool) -> Iterator[Any]:
        asked.extend(activities)
        yield SimpleNamespace(key_averages=lambda: events)

    monkeypatch.setattr(flops, "profile", profiled)
    workload = SimpleNamespace(
        x=SimpleNamespace(device=torch.device("cuda")), prepare=lambda: None, run=lambda: cuda.note("run")
    )
    assert zero_counted_time_share(workload) == 0.25  # type: ignore[arg-type]
    assert ProfilerActivity.CUDA in asked


def test_our_operators_in_c_that_multiply_do_not_count_as_zero() -> None:
    if not native.takes(torch.zeros(1)):
        pytest.skip(native.status())
    workload = build_workload(Case(variant="separable", kernel_size=7, direction="forward_backward"))
    workload.prepare()
    with profile(acc_events=True) as profiler:
        workload.run()
    ours = {event.key for event in profiler.key_averages() if event.key.startswith("gcnn_impl::")}
    counted = {name for name in ours if flops.COUNTED.match(name)}
    assert {name.partition("::")[2] for name in ours - counted} <= {"to_images", "to_maps"}
    assert {"gcnn_impl::depthwise_conv2d", "gcnn_impl::depthwise_conv2d_weight", "gcnn_impl::siren"} <= counted


@pytest.mark.parametrize(
    ("name", "multiplies"),
    [
        *((f"depthwise{part}_triton", True) for part in ("", "_backward", "_add")),
        *(("siren_triton", True), ("siren_backward_triton", True)),
        *(("batch_norm_triton", False), ("batch_norm_backward_triton", False)),
    ],
)
def test_our_operators_in_triton_count_if_they_multiply(name: str, multiplies: bool) -> None:
    assert bool(flops.COUNTED.match(f"gcnn_impl::{name}")) == multiplies


def test_counting_draws_nothing_from_the_random_generator() -> None:
    workload = build_workload(any_case("resnet", "plain"))
    before = torch.random.get_rng_state()
    trace_macs(workload.module, workload.x)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_comparisons_of_tensors_do_no_macs() -> None:
    class Compares(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3)

        def forward(self, x: Tensor) -> Tensor:
            assert torch.allclose(x, x)
            assert torch.equal(x, x)
            assert len(torch.unique(x))
            return self.conv(x)

    assert trace_macs(Compares(), torch.zeros(1, 1, 3, 3))["convolution"] == 9


def test_a_network_is_counted_as_it_computes_in_its_mode() -> None:
    fields: dict[str, Any] = {"layer": "resnet", "batch_size": 1, "channels": 2, "image_size": 12, "kernel_size": 3}
    plain = Case(**fields, variant="plain", group="trivial", resolution=1)
    one = trace_macs(build_workload(plain).module, build_workload(plain).x)["convolution"]
    for direction, copies in (("forward", 8), ("forward_backward", 1)):
        workload = build_workload(Case(**fields, variant="averaged", direction=direction))
        counted = trace_macs(workload.module, workload.x)["convolution"]
        # A copy by 45° is read from four neighbours, at a point that is a product of a matrix; quarter turns are not.
        interpolated = (4 + 2 * 3) * 12 * 12 if copies > 1 else 0
        assert counted == copies * one + interpolated
        assert workload.module.training == (direction != "forward")
