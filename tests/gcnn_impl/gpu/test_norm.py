"""Batch norm with ReLU and residual in Triton equals torch's, in float64, with torch's semantics of statistics."""

import copy

import pytest
import torch
from mutants import mutant
from torch import nn
from traffic import counted

from gcnn_impl import SO2, gpu
from gcnn_impl.gpu import norm as operator
from gcnn_impl.gpu import norm_kernels
from gcnn_impl.layers import GroupBatchNorm2d
from gcnn_impl.layers.norm import norm_relu
from gcnn_impl.models.allcnnc import GroupAllCNNC
from gcnn_impl.models.configs import GroupAllCNNCConfig, GroupResNetConfig
from gcnn_impl.models.resnet import GroupResNet


@pytest.fixture(autouse=True)
def _on(monkeypatch):
    """Use the operators, with few programs, so that each has several blocks of rows."""
    monkeypatch.setattr(operator, "PARTS", 3)
    monkeypatch.setattr(operator, "PROGRAMS", 4)
    with gpu.turned(True):
        yield


FORMS = {"plain": (False, False), "relu": (True, False), "residual": (True, True), "only residual": (False, True)}
EQUAL = 5e-5  # a relative error that rounding explains
SHAPES = [(2, 3, 4, 5, 7), (3, 64, 8, 9, 9), (1, 1, 1, 1, 2), (2, 200, 3, 4, 5), (5, 1, 4, 13, 9), (9, 20, 8, 11, 10)]


def maps(shape, device, dtype=torch.float32, mean=0.0, deviation=1.0):
    """Return a map on the group, (B, C, |H|, H, W), group-major."""
    batch, channels, resolution, height, width = shape
    images = torch.randn(batch, height, width, resolution, channels, device=device) * deviation + mean
    return images.to(dtype).permute(0, 4, 3, 1, 2)


def make(channels, device, **options):
    norm = GroupBatchNorm2d(channels, device=device, **options)
    for parameter in (norm.weight, norm.bias, norm.running_mean):
        if parameter is not None:
            nn.init.normal_(parameter)
    return norm


def results(norm, x, relu, residual, cotangent):
    """Return y, the gradients, and the statistics, of copies of the inputs."""
    inputs = [None if t is None else t.detach().requires_grad_() for t in (x, residual)]
    wanted = [t for t in (*inputs, *norm.parameters()) if t is not None]
    y = norm(inputs[0], relu, inputs[1])
    return [y.detach(), *torch.autograd.grad(y, wanted, cotangent.to(y)), *copy.deepcopy(list(norm.buffers()))]


def reference(norm, x, relu, residual, cotangent):
    """Return what torch computes in float64."""
    with gpu.turned(False):
        double = copy.deepcopy(norm).double()
        return results(double, x.double(), relu, None if residual is None else residual.double(), cotangent)


def largest_error(actual, expected):
    pairs = [(a.double(), e.double()) for a, e in zip(actual, expected, strict=True)]
    scale = max(e.norm() for _, e in pairs)  # a sum that happens to be near zero is not more exact than others
    return max(float((a - e).norm() / (e.norm() + 0.01 * scale)) for a, e in pairs)


def away_from_kinks(norm, x, relu, residual, cotangent):
    """Return the cotangent with zeros where rounding might decide about the slope of a ReLU."""
    with gpu.turned(False), torch.no_grad():
        y = copy.deepcopy(norm).double()(x.double())
    far = y.abs() > 1e-4 if relu else torch.ones_like(y, dtype=torch.bool)
    if residual is not None:
        far &= ((torch.relu(y) if relu else y) + residual).abs() > 1e-4
    return cotangent * far


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("training", [True, False])
def test_equals_torch_in_float64(shape, form, training, device, oracle_errors):
    relu, has_residual = FORMS[form]
    norm = make(shape[1], device).train(training)
    x, residual, cotangent = (maps(shape, device, mean=m) for m in (3.0, 0.0, 0.0))
    residual = residual if has_residual else None
    cotangent = away_from_kinks(norm, x, relu, residual, cotangent)
    expected = reference(norm, x, relu, residual, cotangent)
    actual = results(norm, x, relu, residual, cotangent)
    assert actual[0].permute(0, 3, 4, 2, 1).is_contiguous()
    assert actual[-1] == expected[-1] == int(training)  # num_batches_tracked
    # With two values, the gradient of x is a difference of nearly equal numbers.
    error = largest_error(actual[:-1], expected[:-1])
    oracle_errors.append(error)
    # A gradient of one number may be a sum that cancels; a mistake in a kernel makes larger errors, see below.
    assert error <= (EQUAL if x.numel() > 2 * shape[1] else 1e-2)


@pytest.mark.parametrize("mean", [1e2, 1e4])
def test_a_large_mean_costs_no_more_digits_than_its_own_rounding(mean, device):
    shape = (9, 20, 8, 11, 10)
    norm, x, cotangent = make(20, device), maps(shape, device, mean=mean), maps(shape, device)
    expected = reference(norm, x, False, None, cotangent)[:-1]
    unit_in_the_last_place = mean * torch.finfo(torch.float32).eps  # in deviations of the map, which are 1
    assert largest_error(results(norm, x, False, None, cotangent)[:-1], expected) <= unit_in_the_last_place


@pytest.mark.parametrize("layout", ["torch's own", "strided"])
def test_any_layout_is_taken(layout, device):
    norm, group_major = make(3, device), maps((2, 3, 4, 5, 7), device)
    x = group_major.contiguous() if layout == "torch's own" else torch.stack([group_major] * 2, -1)[..., 0]
    cotangent = torch.randn_like(x)
    expected = reference(norm, x, True, x, cotangent)
    assert largest_error(results(norm, x, True, x, cotangent), expected) <= 1e-5


@pytest.mark.parametrize("options", [{"affine": False}, {"track_running_stats": False}, {"momentum": 0.3, "eps": 0.1}])
@pytest.mark.parametrize("training", [True, False])
def test_options_are_torchs(options, training, device):
    norm = make(3, device, **options).train(training)
    x, cotangent = maps((2, 3, 4, 5, 7), device), maps((2, 3, 4, 5, 7), device)
    expected = reference(norm, x, True, None, cotangent)
    assert largest_error(results(norm, x, True, None, cotangent), expected) <= 1e-5
    assert norm.state_dict().keys() == nn.BatchNorm2d(3, **options).state_dict().keys()


def test_torch_computes_cumulative_averages_and_refuses_single_values(device):
    norm, x = make(3, device, momentum=None), maps((2, 3, 4, 5, 7), device)
    expected = copy.deepcopy(norm).double()
    for _ in range(2):
        torch.testing.assert_close(norm(x, relu=True).double(), torch.relu(expected(x.double())), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(norm.running_var.double(), expected.running_var, rtol=1e-5, atol=0)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        make(3, device)(maps((1, 3, 1, 1, 1), device))
    with pytest.raises(ValueError, match="input must be a tensor"):
        make(3, device)(torch.randn(2, 3, 4, device=device))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("form", FORMS)
def test_half_precision_has_statistics_in_single_precision(dtype, form, device):
    relu, has_residual = FORMS[form]
    norm = make(20, device)
    x, residual, cotangent = (maps((2, 20, 4, 5, 7), device, dtype, mean=m) for m in (9.0, 0.0, 0.0))
    residual = residual if has_residual else None
    cotangent = away_from_kinks(norm, x, relu, residual, cotangent)
    expected = reference(norm, x, relu, residual, cotangent)
    actual = results(norm, x, relu, residual, cotangent)
    assert actual[0].dtype == actual[1].dtype == dtype
    assert norm.running_mean.dtype == torch.float32
    assert largest_error([norm.running_mean, norm.running_var], expected[-3:-1]) <= 1e-6
    assert largest_error(actual[:-1], expected[:-1]) <= 1e-2


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_right_and_can_be_differentiated_again(training, form, device):
    relu, has_residual = FORMS[form]
    norm = make(2, device).double().train(training)
    x, residual = (maps((2, 2, 2, 2, 3), device, torch.float64) for _ in range(2))
    inputs = [t.detach().requires_grad_() for t in (x, residual)[: 1 + has_residual]]
    parameters = norm.weight, norm.bias

    def with_parameters(weight, bias, *inputs):
        return torch.func.functional_call(norm, {"weight": weight, "bias": bias}, (inputs[0], relu, *inputs[1:]))

    assert torch.autograd.gradcheck(with_parameters, (*parameters, *inputs), fast_mode=True)
    assert torch.autograd.gradgradcheck(with_parameters, (*parameters, *inputs), fast_mode=True)


def test_computes_the_same_bits_again(device):
    norm, x, residual = make(20, device), maps((9, 20, 8, 11, 10), device), maps((9, 20, 8, 11, 10), device)
    runs = [results(copy.deepcopy(norm), x, True, residual, x) for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))


def test_every_value_is_written_before_it_is_read(device, monkeypatch):
    norm, x, residual = make(20, device), maps((9, 20, 8, 11, 10), device), maps((9, 20, 8, 11, 10), device)
    expected = results(copy.deepcopy(norm), x, True, residual, x)
    again = copy.deepcopy(norm)
    empty, like = torch.Tensor.new_empty, torch.empty_like

    def poisoned(t):
        return t.fill_(float("nan")) if t.is_floating_point() else t

    monkeypatch.setattr(torch.Tensor, "new_empty", lambda *args, **options: poisoned(empty(*args, **options)))
    monkeypatch.setattr(torch, "empty_like", lambda *args, **options: poisoned(like(*args, **options)))
    actual = results(again, x, True, residual, x)
    assert all(torch.equal(a, b) for a, b in zip(actual, expected, strict=True))


def test_values_that_are_not_numbers_stay(device):
    norm, x = make(3, device).eval(), maps((2, 3, 4, 5, 7), device)
    x[0, 0, 0, 0, 0], x[0, 1, 0, 0, 0] = float("nan"), float("inf")
    with gpu.turned(False):
        expected = norm(x.double().float(), relu=False)
    actual = norm(x, relu=True, residual=torch.zeros_like(x))
    torch.testing.assert_close(actual, torch.relu(expected), equal_nan=True)


MUTATIONS = {
    "a wrong mean": ("mean += distance * (1.0 / (start // BLOCK_R + 1))", "mean += distance"),
    "another channel": (
        "tl.load(weight + c, here, 0).to(dtype)\n        shift",
        "tl.load(weight + c * 0, here, 0).to(dtype)\n        shift",
    ),
    "biased variance": ("(squares / (all_rows - 1))", "(squares / all_rows)"),
    "no inner mask": ("g = tl.where(value <= 0, 0, g)", "g = g"),
    "no outer mask": ("g = tl.where(tl.load(y + at, mask, 0) <= 0, 0, g)", "g = g"),
    "no mean of products": ("- normed * products[None, :]", ""),
    "a lost part": ("exists = (part < count_parts)", "exists = (part < count_parts - 1)"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mistake_in_a_kernel_would_be_found(name, device, monkeypatch, tmp_path):
    right, wrong = MUTATIONS[name]
    mutated = mutant(norm_kernels, right, wrong, tmp_path)
    for kernel in ("statistics", "normalise", "gradient_sums", "gradients"):
        monkeypatch.setattr(norm_kernels, kernel, getattr(mutated, kernel))
    norm, shape = make(20, device), (2, 20, 4, 10, 10)
    x, residual, cotangent = (maps(shape, device) for _ in range(3))
    expected = reference(norm, x, True, residual, cotangent)
    assert not largest_error(results(norm, x, True, residual, cotangent), expected) <= EQUAL


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch 2.11 does so itself
@pytest.mark.parametrize("training", [True, False])
def test_compiled_code_contains_the_operators(training, device):
    norm, shape = make(3, device).train(training), (2, 3, 4, 5, 7)
    x, residual, cotangent = (maps(shape, device) for _ in range(3))
    expected = results(copy.deepcopy(norm), x, True, residual, cotangent)
    compiled = torch.compile(norm, fullgraph=True, backend="aot_eager" if device == "cpu" else "inductor")
    inputs = [t.detach().requires_grad_() for t in (x, residual)]
    y = compiled(inputs[0], True, inputs[1])
    assert y.stride() == expected[0].stride()
    actual = [y.detach(), *torch.autograd.grad(y, [*inputs, *norm.parameters()], cotangent), *norm.buffers()]
    for a, e in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, e)


def test_the_registration_is_sound(device):
    norm = make(3, device)
    x = maps((2, 3, 4, 5, 7), device).permute(0, 3, 4, 2, 1).contiguous()
    tests, operators = ("test_schema", "test_faketensor"), torch.ops.gcnn_impl
    weight, bias = norm.weight.detach(), norm.bias.detach()
    arguments = (x, weight, bias, norm.running_mean, norm.running_var, x, True, 0.1, 1e-5, True)
    torch.library.opcheck(operators.batch_norm_triton, arguments, test_utils=tests)
    y, mean, scale = operators.batch_norm_triton(*arguments)
    for kept in (y, None):
        arguments = (x, x, weight, bias, mean, scale, kept, True, True)
        torch.library.opcheck(operators.batch_norm_backward_triton, arguments, test_utils=tests)


def test_synchronised_and_plain_norms_are_composed(device):
    norm, x = make(3, device).eval(), maps((2, 3, 4, 5, 7), device)
    synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(norm))
    assert type(synchronised) is nn.SyncBatchNorm
    torch.testing.assert_close(norm_relu(synchronised, x, lambda: x), norm_relu(norm, x, lambda: x))
    plain = nn.BatchNorm2d(3, device=device).eval()
    torch.testing.assert_close(norm_relu(plain, x[:, :, 0]), torch.relu(plain(x[:, :, 0])))


def test_exported_programs_contain_torchs_operators(device):
    norm, x = make(3, device).eval(), maps((2, 3, 4, 5, 7), device)
    program = torch.export.export(norm, (x,), {"relu": True})
    assert not any("gcnn_impl" in str(node.target) for node in program.graph.nodes)
    torch.testing.assert_close(program.module()(x, relu=True), norm(x, relu=True))


@pytest.mark.parametrize("form", ["plain", "relu", "residual"])
def test_launches_and_maps_that_are_read_and_written(form, device):
    if device != "cpu":
        pytest.skip("only the interpreter can count")
    relu, has_residual = FORMS[form]
    shape = (9, 16, 8, 11, 10)
    norm, (x, residual, cotangent) = make(16, device), (maps(shape, device) for _ in range(3))
    x.requires_grad_(), residual.requires_grad_()
    one = x.numel() * x.element_size()
    with counted() as forward:
        y = norm(x, relu, residual if has_residual else None)
    with counted() as backward:
        y.backward(cotangent)
    assert forward.launches == backward.launches == 2
    found = [n / one for n in (forward.read, forward.written, backward.read, backward.written)]
    expected = [3, 1, 5, 2] if has_residual else [2, 1, 4, 1]
    assert found == pytest.approx(expected, rel=0.05)
    with torch.no_grad(), counted() as inference:
        norm.eval()(x, relu, residual if has_residual else None)
    assert inference.launches == 1
    assert (inference.read + inference.written) / one == pytest.approx(2 + has_residual, rel=0.02)


def resnet(variant, **options):
    options = {
        "widths": (3, 4),
        "kernel_size": 3,
        "last_kernel_size": 3,
        "hidden_features": 6,
        "dropout": 0.0,
        **options,
    }
    return GroupResNet(GroupResNetConfig(variant=variant, group=SO2(4), **options))


NETWORKS = {
    "separable": lambda: resnet("separable"),
    "full": lambda: resnet("full"),
    "All-CNN-C": lambda: GroupAllCNNC(
        GroupAllCNNCConfig(widths=(2, 3), kernel_size=3, group=SO2(4), hidden_features=6, first_dropout=0, dropout=0)
    ),
}


@pytest.mark.parametrize(("name", "training"), [*((name, True) for name in NETWORKS), ("separable", False)])
def test_networks_equal_those_without_the_operators(name, training, device):
    net = NETWORKS[name]().to(device).train(training)
    double = copy.deepcopy(net).double()
    x = torch.randn(3, net.config.in_channels, 8, 8, device=device)
    y = net(x)
    gradients = torch.autograd.grad(y.square().sum(), list(net.parameters()))
    with gpu.turned(False):
        expected = double(x.double())
        wanted = torch.autograd.grad(expected.square().sum(), list(double.parameters()))
    assert (y - expected).norm() <= 1e-4 * expected.norm()
    scale = max(e.norm() for e in wanted)
    for a, e in zip(gradients, wanted, strict=True):
        assert (a - e).norm() <= 1e-3 * (e.norm() + 0.01 * scale)
    for a, e in zip(net.buffers(), double.buffers(), strict=True):
        torch.testing.assert_close(a.double(), e.double(), rtol=1e-4, atol=1e-4)


def test_dropout_of_channels_stays_right(device):
    net, x = resnet("separable", channel_dropout=0.4).to(device), torch.randn(3, 1, 8, 8, device=device)
    found = []
    for on in (True, False):
        torch.manual_seed(0)
        with gpu.turned(on):
            y = copy.deepcopy(net)(x)
        found.append(y)
    torch.testing.assert_close(*found, rtol=1e-3, atol=1e-4)


def test_a_hook_on_a_norm_sees_the_output_of_the_norm_alone(device):
    norm, x, seen = make(3, device), maps((2, 3, 4, 5, 7), device), []
    expected = norm_relu(copy.deepcopy(norm), x, lambda: x)
    norm.register_forward_hook(lambda module, inputs, output: seen.append(output))
    torch.testing.assert_close(norm_relu(norm, x, lambda: x), expected)
    assert (seen[0] < 0).any()
