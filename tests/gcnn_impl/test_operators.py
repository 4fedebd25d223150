"""The operators in C equal PyTorch in float64, in every layout, on one thread and on two."""

import math

import pytest
import torch

from gcnn_impl import CONVOLUTIONS, O2, SO2, SeparableGroupConv2d, SO2xRPlus, functional, native
from gcnn_impl.kernels import ContinuousKernel, disc_taps, group_points, joint_points, spatial_points
from gcnn_impl.native import operators
from gcnn_impl.rectifying import rectified

pytestmark = pytest.mark.skipif(native.status() != "in use", reason=native.status())


def assert_near(actual, expected, tolerance=1e-5):
    assert actual.shape == expected.shape
    assert (actual - expected).abs().max() <= tolerance * (expected.abs().max() + 1)


def assert_same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=0, equal_nan=True)


def gradients(y, inputs, cotangent):
    return [y, *torch.autograd.grad(y, inputs, cotangent.to(y))]


class TestSpatialConvolution:
    def inputs(self, shape, kernel_size, disc):
        """Return a map, a kernel and a bias, in single precision."""
        _, channels, resolution, _, _ = shape
        kept = disc_taps(kernel_size).reshape(kernel_size, kernel_size) if disc else 1.0
        kernel = torch.randn(channels, resolution, kernel_size, kernel_size) * kept
        return torch.randn(shape), kernel, torch.randn(channels)

    def assert_equal(self, inputs, padding, disc, monkeypatch):
        """Compare with ``algorithm="direct"`` in float64, as sums in float32 have rounding errors of their own."""
        inputs = [value.detach().requires_grad_() for value in inputs]
        doubles = [value.detach().double().requires_grad_() for value in inputs]

        def convolve(x, kernel, bias, algorithm):
            options = {"bias": bias, "padding": padding, "disc": disc, "algorithm": algorithm}
            return functional.spatial_conv2d(x, kernel, **options)

        reference = convolve(*doubles, "direct")
        cotangent = torch.randn(reference.shape)
        expected = gradients(reference, doubles, cotangent)
        # PyTorch must not be compared with itself.
        monkeypatch.setattr(functional, "depthwise_conv2d", lambda *_, **__: pytest.fail("PyTorch was called"))
        y = convolve(*inputs, "auto")
        actual = gradients(y, inputs, cotangent)
        with torch.no_grad():
            assert torch.equal(convolve(*inputs, "auto"), y)
        if disc:
            outside = ~disc_taps(inputs[1].shape[-1]).reshape(inputs[1].shape[2:])
            assert not actual[2][..., outside].any()
            expected[2] = expected[2] * ~outside
        for a, e in zip(actual, expected, strict=True):
            assert_near(a, e)

    @pytest.mark.parametrize("kernel_size", [3, 5, 7, 9, 11])
    @pytest.mark.parametrize("disc", [False, True])
    @pytest.mark.parametrize("padding", ["none", "same", "all"])
    def test_equals_the_definition(self, kernel_size, disc, padding, threads, monkeypatch):
        padding = {"none": 0, "same": kernel_size // 2, "all": kernel_size - 1}[padding]
        self.assert_equal(self.inputs((3, 7, 5, 13, 12), kernel_size, disc), padding, disc, monkeypatch)

    @pytest.mark.parametrize(
        "shape",
        [
            (1, 1, 1, 1, 1),
            (2, 3, 2, 2, 3),
            (1, 75, 4, 5, 40),
            (1, 16, 8, 28, 28),
            (2, 17, 1, 61, 64),
            (1, 5, 1, 3, 700),
        ],
    )
    def test_equals_the_definition_on_any_shape(self, shape, threads, monkeypatch):
        self.assert_equal(self.inputs(shape, 7, True), 3, True, monkeypatch)

    @pytest.mark.parametrize("stride", [1, 2])
    def test_pytorch_computes_strides_and_wide_paddings(self, stride):
        x, kernel, bias = self.inputs((1, 2, 4, 5, 5), 7, True)
        padding = 3 if stride == 2 else 9
        y = functional.spatial_conv2d(x, kernel, bias=bias, stride=stride, padding=padding)
        direct = functional.spatial_conv2d(x, kernel, bias=bias, stride=stride, padding=padding, algorithm="direct")
        torch.testing.assert_close(y, direct)
        with pytest.raises(ValueError, match="with padding 0 the kernel does not fit 5×5 pixels"):
            functional.spatial_conv2d(x, kernel)

    @pytest.mark.parametrize("shape", [(3, 7, 5, 13, 12), (2, 16, 4, 9, 8), (1, 16, 8, 60, 60), (64, 33, 8, 14, 14)])
    def test_rectifies_and_adds_as_it_writes(self, shape, threads):
        x, kernel, bias = self.inputs(shape, 5, True)
        residuals = torch.randn(shape), torch.randn(shape).permute(0, 3, 4, 2, 1).contiguous().permute(0, 4, 3, 1, 2)
        options = {"bias": bias, "padding": 2, "disc": True}
        with torch.no_grad():
            y = functional.spatial_conv2d(x, kernel, **options)
            y[0, 0, 0, 0, 0] = x[0, 0, 0, 0, 0] = math.nan  # which a ReLU keeps
            for relu in (True, False):
                assert_same(
                    functional.spatial_conv2d(x, kernel, **options, relu=relu)[1:], rectified(y, relu, None)[1:]
                )
                for residual in residuals:
                    found = functional.spatial_conv2d(x, kernel, **options, relu=relu, residual=residual)
                    assert_same(found[1:], rectified(y, relu, residual)[1:])
                    assert found[0, 0, 0, 0, 0].isnan()

    def test_refuses_a_residual_of_another_shape(self):
        x, kernel, _ = self.inputs((2, 3, 4, 9, 9), 3, False)
        for tensors in ((x, kernel), (x, kernel.requires_grad_()), (x.double(), kernel.detach().double())):
            with pytest.raises(ValueError, match=r"\(2, 3, 4, 9, 9\)|\(2, 9, 9, 4, 3\)"):
                functional.spatial_conv2d(*tensors, padding=1, residual=torch.zeros(2, 3, 4, 9, 9)[:1])

    def test_computes_the_same_bits_again(self, threads):
        inputs = [value.requires_grad_() for value in self.inputs((5, 12, 4, 20, 20), 7, True)]
        runs = []
        for _ in range(5):
            y = functional.spatial_conv2d(inputs[0], inputs[1], bias=inputs[2], padding=3, disc=True)
            runs.append(gradients(y, inputs, y.detach()))
        for run in runs[1:]:
            assert all(torch.equal(a, b) for a, b in zip(run, runs[0], strict=True))


@pytest.mark.parametrize("shape", [(2, 3, 4, 5, 7), (1, 16, 8, 28, 28), (3, 40, 1, 9, 9), (1, 1, 17, 1, 130)])
def test_maps_are_laid_out_and_back(shape, threads):
    x = torch.randn(shape, requires_grad=True)
    images = operators.images_of(x)
    assert images.is_contiguous()
    assert torch.equal(images, x.permute(0, 3, 4, 2, 1))
    cotangent = torch.randn(images.shape)
    (gradient,) = torch.autograd.grad(images, x, cotangent)
    assert torch.equal(gradient, cotangent.permute(0, 4, 3, 1, 2))
    assert torch.equal(operators._to_maps(images.detach()), x)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5, 7), (1, 31, 3, 9, 9), (1, 1, 1, 3, 1), (2, 160, 9, 21, 28)])
def test_mixing_equals_the_definition_and_keeps_the_layout_of_its_input(shape, threads):
    kernel = torch.randn(5, 3, shape[1], shape[2])
    cotangent = torch.randn(shape[0], 5, 3, *shape[3:])
    x = torch.randn(shape)
    doubles = [value.double().requires_grad_() for value in (x, kernel)]
    expected = gradients(functional.group_mix(*doubles), doubles, cotangent)
    group_major = x.permute(0, 3, 4, 2, 1).contiguous().permute(0, 4, 3, 1, 2)
    strided = torch.stack([x, x], dim=-1)[..., 0]
    for other in (x, group_major, strided):
        inputs = [other.detach().requires_grad_(), kernel.clone().requires_grad_()]
        actual = gradients(functional.group_mix(*inputs, algorithm="auto"), inputs, cotangent)
        for a, e in zip(actual, expected, strict=True):
            assert_near(a, e)
        if other is not strided:
            assert actual[1].stride() == other.stride()


def test_sines_and_cosines_are_those_of_float64(threads):
    spread = torch.cat([torch.linspace(-30, 30, 100_000), torch.randn(100_000) * 2000, torch.randn(64) * 1e6])
    quarters = torch.arange(-2000, 2000) * (math.pi / 2)
    special = torch.tensor([0.0, -0.0, 1e-30, 3e38, math.inf, -math.inf, math.nan])
    x = torch.cat([spread, quarters, special])
    x = torch.cat([x, x.new_zeros(-len(x) % 16)])
    sine, cosine = torch.empty_like(x), torch.empty_like(x)
    native.library().gcnn_sine_cosine(x.data_ptr(), sine.data_ptr(), cosine.data_ptr(), len(x))
    torch.testing.assert_close(sine.double(), x.double().sin(), rtol=0, atol=1e-7, equal_nan=True)
    torch.testing.assert_close(cosine.double(), x.double().cos(), rtol=0, atol=1e-7, equal_nan=True)


def kernels():
    so2, o2, sim2 = SO2(8), O2(3), SO2xRPlus(4, 2)
    grid = so2.elements()
    options = {"hidden_features": 64}
    return {
        "plane": ContinuousKernel(lambda h: spatial_points(so2, 7, h), (grid,), 9, 1, **options),
        "group": ContinuousKernel(lambda h, g: group_points(so2, h, g), (grid, SO2(4).elements()), 6, 5, **options),
        "joint": ContinuousKernel(lambda h, g: joint_points(so2, 5, h, g), (grid, grid), 3, 4, **options),
        "large": ContinuousKernel(lambda h, g: group_points(so2, h, g), (grid, grid), 64, 48, **options),
        "O2": ContinuousKernel(lambda h: spatial_points(o2, 5, h), (o2.elements(),), 33, 2, hidden_features=8),
        "Sim2": ContinuousKernel(lambda h: spatial_points(sim2, 3, h), (sim2.elements(),), 4, 3, hidden_features=20),
    }


@pytest.mark.parametrize("name", list(kernels()))
def test_generated_kernels_equal_pytorchs(name, threads):
    kernel = kernels()[name]
    taps = torch.tensor([3, 0, 7, 12]) if name == "joint" else None
    parameters = list(kernel.parameters())
    for parameter in parameters:
        torch.nn.init.normal_(parameter, std=0.3)  # biases of zero would hide mistakes
    y = kernel(taps=taps, by_operator=True)
    cotangent = torch.randn(y.shape)
    actual = gradients(y, parameters, cotangent)
    again = gradients(kernel(taps=taps, by_operator=True), parameters, cotangent)
    assert all(torch.equal(a, b) for a, b in zip(actual, again, strict=True))
    double = kernel.double()
    expected = gradients(double(taps=taps), list(double.parameters()), cotangent)
    for a, e in zip(actual, expected, strict=True):
        assert (a - e).norm() <= 1e-5 * e.norm()
    with torch.no_grad():
        assert_near(kernel.float()(taps=taps, by_operator=True), actual[0], 0)


@pytest.mark.parametrize("variant", ["full", "separable", "dgseparable", "separable2d"])
@pytest.mark.parametrize("sampled", [False, True])
def test_layers_equal_those_that_are_pytorch_alone(variant, sampled, threads):
    group = SO2xRPlus(4, 2) if variant == "separable2d" else SO2(8)
    layer = CONVOLUTIONS[variant](6, 5, 5, group, padding=2)
    grids = (group.sample(), group.sample()) if sampled and variant != "separable2d" else ()
    x = torch.randn(2, 6, 8, 11, 9, requires_grad=True)
    inputs = [x, *layer.parameters()]
    results = {}
    for layer.algorithm in ("auto", "disc"):
        y = layer(x, *grids)
        results[layer.algorithm] = gradients(y, inputs, torch.cos(torch.arange(float(y.numel()))).view(y.shape))
    scale = max(e.norm() for e in results["disc"])
    for a, e in zip(results["auto"], results["disc"], strict=True):
        assert (a - e).norm() <= 1e-5 * (e.norm() + 0.01 * scale)


class TestGradientsOfGradients:
    """A float32 layer in C is compared with a float64 layer in PyTorch."""

    def second(self, layer, x):
        inputs = [x, *layer.parameters()]
        first = torch.autograd.grad(layer(x).square().sum(), inputs, create_graph=True)
        return torch.autograd.grad(sum(g.square().sum() for g in first), inputs)

    def test_equal_pytorchs(self):
        layer = SeparableGroupConv2d(3, 2, 5, SO2(4), padding=2)
        x = torch.randn(1, 3, 4, 7, 6, requires_grad=True)
        actual = self.second(layer, x)
        expected = self.second(layer.double(), x.detach().double().requires_grad_())
        for a, e in zip(actual, expected, strict=True):
            assert (a - e).norm() <= 1e-4 * e.norm()

    def test_a_jacobian_is_taken_with_vmap(self):
        layer = SeparableGroupConv2d(2, 2, 3, SO2(4))
        x = torch.randn(1, 2, 4, 4, 3)
        together, one_by_one = (
            torch.autograd.functional.jacobian(layer, x, vectorize=vectorize) for vectorize in (True, False)
        )
        torch.testing.assert_close(together, one_by_one, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wanted", [["x"], ["bias"], ["spatial_kernel.net.bias_first"], ["x", "bias"]])
def test_gradients_are_given_where_they_are_wanted(wanted):
    layer, x = SeparableGroupConv2d(3, 2, 5, SO2(4), padding=2), torch.randn(1, 3, 4, 7, 6)
    tensors = {"x": x, **dict(layer.named_parameters())}
    for name, tensor in tensors.items():
        tensor.requires_grad_(name in wanted)
    results = {}
    for layer.algorithm in ("auto", "direct"):
        results[layer.algorithm] = torch.autograd.grad(layer(x).square().sum(), [tensors[name] for name in wanted])
    for actual, expected in zip(results["auto"], results["direct"], strict=True):
        # Of each gradient as a whole: a single entry may be a sum that cancels to almost nothing but rounding.
        assert (actual - expected).norm() <= 1e-3 * expected.norm()


def test_training_on_the_same_threads_gives_the_same_bits(threads):
    def train():
        torch.manual_seed(0)
        layer, x = SeparableGroupConv2d(8, 8, 5, SO2(8), padding=2), torch.randn(4, 8, 8, 14, 14)
        optimiser = torch.optim.Adam(layer.parameters(), 1e-2)
        for _ in range(3):
            optimiser.zero_grad()
            layer(x).square().mean().backward()
            optimiser.step()
        return [p.detach() for p in layer.parameters()]

    first = train()
    assert all(torch.equal(a, b) for _ in range(3) for a, b in zip(train(), first, strict=True))
