"""The SIREN kernel nets in Triton equal PyTorch in float64, at odd shapes; wrong reads would be found."""

import copy
import math

import pytest
import torch
import triton
import triton.language as tl
from mutants import mutant
from torch import nn
from traffic import counted

from gcnn_impl import CONVOLUTIONS, O2, SO2, SO2xRPlus, gpu
from gcnn_impl.gpu import siren as operator
from gcnn_impl.gpu import siren_kernels
from gcnn_impl.kernel_nets import SIREN, siren_at_places
from gcnn_impl.kernels import ContinuousKernel, group_points, joint_points, spatial_points


@pytest.fixture(autouse=True, params=[3])
def _on(monkeypatch, request):
    """Use the operators, with few programs backward, so that each has several blocks of places."""
    monkeypatch.setattr(operator, "PROGRAMS", request.param)
    with gpu.turned(True):
        yield


def net(device, coordinates, values, hidden, dtype=torch.float32):
    made = SIREN(coordinates, values, hidden_features=hidden, device=device, dtype=dtype)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.3)  # biases of zero would hide mistakes
    return made


def case(device, points, coordinates, hidden, channels, inner, index, taps=None, dtype=torch.float32):
    """Return the arguments of ``siren``: random points and weights, and an index with some zeros and all points.

    An index of fewer places than points has some of them.
    """
    parameters = net(device, coordinates, channels * inner, hidden, dtype).tensors()
    x = torch.rand(points, coordinates, device=device, dtype=dtype) * 2 - 1
    count = math.prod(index)
    places = (torch.arange(count) % (points + 1))[torch.randperm(count)].view(index).to(device)
    taps = None if taps is None else torch.tensor(taps, device=device)
    return [x, torch.rand(points, device=device, dtype=dtype), places, taps, 10.0, channels, parameters]


def doubled(arguments):
    *fixed, parameters = arguments
    fixed = [t.double() if isinstance(t, torch.Tensor) and t.is_floating_point() else t for t in fixed]
    return [*fixed, [p.detach().double().requires_grad_() for p in parameters]]


def values_and_gradients(function, arguments, cotangent):
    y = function(*arguments)
    return [y.detach(), *torch.autograd.grad(y, [p for p in arguments[-1] if p.numel()], cotangent.to(y))]


def reference(*arguments):
    *fixed, parameters = arguments
    return siren_at_places(*fixed, *parameters)


def cotangent_of(arguments):
    return torch.randn(reference(*arguments).shape, device=arguments[0].device)


def rounding_error(arguments, cotangent, expected):
    """Return the error in float64 where only the parameters are rounded to float32: the digits that the input has.

    A gradient of one number may be a sum that cancels, and then has fewer digits than the others.
    """
    *fixed, parameters = doubled(arguments)
    errors = []
    for _ in range(3):
        rounded = [(p.detach() * (1 + 2**-24 * torch.randn_like(p))).requires_grad_() for p in parameters]
        errors.append(largest_error(values_and_gradients(reference, [*fixed, rounded], cotangent), expected))
    return max(errors)


def largest_error(actual, expected):
    return max(float((a - e).norm() / e.norm().clamp_min(1e-12)) for a, e in zip(actual, expected, strict=True))


CASES = {  # points, coordinates, hidden, C_o, C_i, shape of the index, taps
    "plane": (30, 2, 20, 9, 1, (3, 29)),
    "no coordinates": (1, 0, 5, 3, 2, (1, 1)),
    "one of everything": (1, 1, 1, 1, 1, (1, 1)),
    "hidden 5": (7, 3, 5, 3, 70, (3, 13)),
    "hidden 80": (5, 2, 80, 2, 9, (2, 9)),
    "joint": (30, 3, 20, 5, 17, (3, 2, 9)),
    "joint, taps": (30, 3, 16, 3, 4, (4, 3, 25), (3, 0, 7, 12, 24)),
    "taps": (9, 2, 33, 5, 3, (2, 9), (8, 1)),
    "many values": (8, 1, 16, 20, 20, (4, 4)),
}


@pytest.mark.parametrize("_on", [3, 256], indirect=True)
@pytest.mark.parametrize("name", CASES)
def test_equals_the_definition_in_float64(name, device, oracle_errors):
    arguments = case(device, *CASES[name])
    cotangent = cotangent_of(arguments)
    actual = values_and_gradients(operator.siren, arguments, cotangent)
    expected = values_and_gradients(reference, doubled(arguments), cotangent)
    error = largest_error(actual, expected)
    oracle_errors.append(error)
    assert error <= max(1e-5, 10 * rounding_error(arguments, cotangent, expected))
    with torch.no_grad():
        assert torch.equal(operator.siren(*arguments), actual[0])


@pytest.mark.parametrize("omega", [1.0, 30.0, 300.0])
def test_large_frequencies_cost_no_more_digits_than_in_pytorch(omega, device):
    arguments = case(device, 20, 3, 64, 6, 5, (2, 17))
    arguments[4] = omega
    cotangent = cotangent_of(arguments)
    expected = values_and_gradients(reference, doubled(arguments), cotangent)
    ours = largest_error(values_and_gradients(operator.siren, arguments, cotangent), expected)
    theirs = largest_error(values_and_gradients(reference, arguments, cotangent), expected)
    assert ours <= 3 * theirs + 1e-6  # on average the two are equal


@triton.jit
def evaluate(x, sine, cosine, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(sine + i, siren_kernels._sine(tl.load(x + i), 0))
    tl.store(cosine + i, siren_kernels._sine(tl.load(x + i), 1))


def test_sines_are_those_of_float64(device):
    x = torch.cat([torch.linspace(-30, 30, 2**14), torch.rand(2**14) * 16000 - 8000]).to(device)
    sine, cosine = torch.empty_like(x), torch.empty_like(x)
    evaluate[(len(x) // 1024,)](x, sine, cosine, BLOCK=1024)
    torch.testing.assert_close(sine.double(), x.double().sin(), rtol=0, atol=1.3e-7)
    torch.testing.assert_close(cosine.double(), x.double().cos(), rtol=0, atol=1.3e-7)


def test_gradients_are_right_and_can_be_differentiated_again(device):
    *fixed, parameters = case(device, 4, 2, 5, 2, 3, (2, 3), dtype=torch.float64)
    fixed[4] = 2.0

    def values(*parameters):
        return operator.siren(*fixed, parameters)

    assert torch.autograd.gradcheck(values, parameters, fast_mode=True)
    assert torch.autograd.gradgradcheck(values, parameters, fast_mode=True)


def test_computes_the_same_bits_again_and_twice_from_one_graph(device):
    arguments = case(device, *CASES["plane"])
    y = operator.siren(*arguments)
    cotangent = torch.randn_like(y)
    first = torch.autograd.grad(y, arguments[-1], cotangent, retain_graph=True)
    for again in (
        torch.autograd.grad(y, arguments[-1], cotangent),
        values_and_gradients(operator.siren, arguments, cotangent)[1:],
    ):
        assert all(torch.equal(a, b) for a, b in zip(again, first, strict=True))


def poison(monkeypatch):
    """Let new tensors of floats be full of NaN, and those of integers of a large number."""
    empty, like = torch.Tensor.new_empty, torch.empty_like

    def fill(t):
        return t.fill_(float("nan") if t.is_floating_point() else 10**6)

    monkeypatch.setattr(torch.Tensor, "new_empty", lambda *args, **options: fill(empty(*args, **options)))
    monkeypatch.setattr(torch, "empty_like", lambda *args, **options: fill(like(*args, **options)))


@pytest.mark.parametrize("name", ["plane", "joint, taps", "hidden 80"])
def test_every_value_is_written_before_it_is_read(name, device, monkeypatch):
    arguments = case(device, *CASES[name])
    cotangent = cotangent_of(arguments)
    expected = values_and_gradients(operator.siren, arguments, cotangent)
    poison(monkeypatch)
    actual = values_and_gradients(operator.siren, arguments, cotangent)
    assert all(torch.equal(a, e) for a, e in zip(actual, expected, strict=True))


MUTATIONS = {
    "another tap": ("index + a * stride_a + j * stride_j + t * stride_t", "index + a * stride_a + j * stride_j"),
    "another element": ("a * stride_a + j * stride_j", "a * stride_a"),
    "a lost point": ("& (point < N)", "& (point < N - 1)"),
    "another weight": ("tl.load(weights + point, found, 0)", "tl.load(weights + point * 0, found, 0)"),
    "another bias": ("tl.load(b_last + f, f < F, 0)", "tl.load(b_last + f * 0, f < F, 0)"),
    "another coordinate": ("coordinates + point * D + i, found", "coordinates + point * D, found"),
    "a lost share": ("for part in range(COUNT)", "for part in range(1, COUNT)"),
    "a wrong cosine": ("total * _sine(z, 1)", "total * _sine(z, 0)"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mistake_in_a_kernel_would_be_found(name, device, monkeypatch, tmp_path):
    right, wrong = MUTATIONS[name]
    mutated = mutant(siren_kernels, right, wrong, tmp_path)
    for kernel in ("forward", "backward"):
        monkeypatch.setattr(siren_kernels, kernel, getattr(mutated, kernel))
    arguments = case(device, 30, 3, 16, 3, 4, (3, 2, 13))
    cotangent = cotangent_of(arguments)
    actual = values_and_gradients(operator.siren, arguments, cotangent)
    assert not largest_error(actual, values_and_gradients(reference, doubled(arguments), cotangent)) <= 1e-3


def kernels(device):
    so2, o2, sim2 = SO2(8), O2(3), SO2xRPlus(4, 2)
    grid, options = so2.elements(), {"device": device, "hidden_features": 12}
    return {
        "plane": ContinuousKernel(lambda h: spatial_points(so2, 7, h), (grid,), 9, 1, **options),
        "group": ContinuousKernel(lambda h, g: group_points(so2, h, g), (grid, SO2(4).elements()), 6, 5, **options),
        "joint": ContinuousKernel(lambda h, g: joint_points(so2, 5, h, g), (grid, grid), 3, 4, **options),
        "O2": ContinuousKernel(lambda h: spatial_points(o2, 5, h), (o2.elements(),), 33, 2, **options),
        "Sim2": ContinuousKernel(lambda h: spatial_points(sim2, 3, h), (sim2.elements(),), 4, 3, **options),
    }


@pytest.mark.parametrize("name", ["plane", "group", "joint", "O2", "Sim2"])
@pytest.mark.parametrize("double", [False, True])
def test_generated_kernels_equal_pytorchs(name, double, device, monkeypatch):
    kernel = kernels(device)[name].double() if double else kernels(device)[name]
    taps = torch.tensor([3, 0, 7, 12], device=device) if name == "joint" else None
    expected = copy.deepcopy(kernel).double()(taps=taps)
    monkeypatch.setattr(SIREN, "forward", lambda *_: pytest.fail("PyTorch was called"))
    actual = kernel(taps=taps, by_operator=True)
    assert actual.shape == expected.shape
    torch.testing.assert_close(actual.double(), expected, rtol=1e-4, atol=1e-5 if not double else 1e-12)
    working = actual.permute(0, 3, 2, 1, 4) if actual.dim() == 5 else actual.transpose(1, 2)
    assert working.is_contiguous()


@pytest.mark.parametrize("variant", CONVOLUTIONS)
@pytest.mark.parametrize("sampled", [False, True])
def test_layers_equal_those_without_the_operators(variant, sampled, device):
    group = SO2xRPlus(2, 2) if variant == "separable2d" else SO2(4)
    layer = CONVOLUTIONS[variant](3, 4, 5, group, padding=2, hidden_features=6, device=device)
    grids = (group.sample(), group.sample()) if sampled and variant != "separable2d" else ()
    x = torch.randn(2, 3, 4, 6, 5, device=device)
    y = layer(x, *grids)
    cotangent = torch.randn_like(y)
    actual = [y, *torch.autograd.grad(y, list(layer.parameters()), cotangent)]
    with gpu.turned(False):
        layer.double().algorithm = "direct"
        y = layer(x.double(), *grids)
        expected = [y, *torch.autograd.grad(y, list(layer.parameters()), cotangent.double())]
    scale = max(e.norm() for e in expected)
    for a, e in zip(actual, expected, strict=True):
        assert (a - e).norm() <= 1e-5 * (e.norm() + 0.01 * scale)


def test_only_auto_uses_the_operators(device, monkeypatch):
    layer = CONVOLUTIONS["full"](3, 2, 5, SO2(4), padding=2, algorithm="disc", device=device)
    monkeypatch.setattr(operator, "siren", lambda *_: pytest.fail("an operator was called"))
    layer(torch.randn(1, 3, 4, 5, 5, device=device))


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch 2.11 does so itself
def test_compiled_code_contains_the_operators(device):
    kernel = kernels(device)["joint"]
    y = kernel(by_operator=True)
    cotangent = torch.randn_like(y)
    expected = [y, *torch.autograd.grad(y, list(kernel.parameters()), cotangent)]
    compiled = torch.compile(kernel, fullgraph=True, backend="aot_eager" if device == "cpu" else "inductor")
    y = compiled(by_operator=True)
    assert y.stride() == expected[0].stride()
    actual = [y, *torch.autograd.grad(y, list(kernel.parameters()), cotangent)]
    for a, e in zip(actual, expected, strict=True):
        torch.testing.assert_close(a, e)


def test_the_registration_is_sound(device):
    *fixed, omega, channels, parameters = case(device, 7, 2, 5, 3, 2, (2, 3, 5), (0, 3))
    parameters = [p.detach() for p in parameters]
    tests = "test_schema", "test_faketensor"
    operators = torch.ops.gcnn_impl
    torch.library.opcheck(operators.siren_triton, (*fixed, parameters, omega, channels), test_utils=tests)
    values, counters = operators.siren_triton(*fixed, parameters, omega, channels)
    arguments = (torch.randn_like(values), *fixed, parameters, counters, omega)
    torch.library.opcheck(operators.siren_backward_triton, arguments, test_utils=tests)


@pytest.mark.parametrize("name", ["plane", "joint", "many values"])
def test_one_launch_reads_and_writes_everything_once(name, device):
    if device != "cpu":
        pytest.skip("only the interpreter can count")
    arguments = case(device, *CASES[name])
    with counted() as forward:
        y = operator.siren(*arguments)
    with counted() as backward:
        y.sum().backward()
    given = sum(t.numel() * t.element_size() for t in (*arguments[:3], *arguments[-1]))
    found = sum(p.numel() * p.element_size() for p in arguments[-1])
    values = y.numel() * y.element_size()
    assert forward.launches == backward.launches == 1
    assert 0.9 * (given + values) <= forward.read + forward.written <= 1.02 * (given + values)
    assert backward.read <= given + values
    assert backward.written >= found  # the rest is partial sums, which are written and read again
