"""``torch.compile`` takes the fast paths of eager code: the operators in C, the transforms, and frozen kernels.

``test_torch_features.py`` compiles all layers and networks.
"""

import copy

import pytest
import torch
from functorch.compile import make_boxed_func
from torch import nn
from torch._dynamo.backends.common import aot_autograd
from torch.func import jvp

from gcnn_impl import (
    CONVOLUTIONS,
    SO2,
    LiftingConv2d,
    SeparableGroupConv2d,
    freeze,
    native,
    unfreeze,
)
from gcnn_impl.calibration import fourier_pays
from gcnn_impl.irreps import irreps_of
from gcnn_impl.layers import GroupBatchNorm2d
from gcnn_impl.layers.folding import conv_norm_relu
from gcnn_impl.layers.norm import norm_pool_relu

in_c = pytest.mark.skipif(native.status() != "in use", reason=native.status())
# Torch 2.11 does so itself.
pytestmark = pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")

SEPARABLE = {"siren", "irreps_mix", "depthwise_conv2d"}
GRADIENTS = {"siren_backward", "irreps_mix_backward", "depthwise_conv2d", "depthwise_conv2d_weight"}


@pytest.fixture(autouse=True)
def fresh():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def compiled(function, **options):
    """Return a compiled function without generated code, and the names of its operators, forward and backward."""
    names = set(), set()

    def look(found):
        def compiler(graph, inputs):
            found.update(
                str(node.target).removeprefix("gcnn_impl.").removesuffix(".default") for node in graph.graph.nodes
            )
            return make_boxed_func(graph.forward)

        return compiler

    backend = aot_autograd(fw_compiler=look(names[0]), bw_compiler=look(names[1]))
    return torch.compile(function, fullgraph=True, backend=backend, **options), *names


def gradients(call, module, x):
    x = x.detach().requires_grad_()
    y = call(x)
    cotangent = torch.cos(torch.arange(y.numel(), dtype=y.dtype)).view(y.shape)
    return [y.detach(), *torch.autograd.grad(y, [x, *module.parameters()], cotangent)]


def wide_layer(**options):
    """Return a layer that mixes by the transform over H, and its input."""
    return SeparableGroupConv2d(16, 16, 5, SO2(8), padding=2, **options), torch.randn(2, 16, 8, 7, 6)


def change(network):
    """Change all parameters, and the statistics of a norm."""
    for tensor in (*network.parameters(), network.norm.running_mean, network.norm.running_var):
        tensor.data.mul_(1.25)


class SmallNetwork(nn.Module):
    """Two convolutions with their norms, which have statistics as after training, and a pooling."""

    def __init__(self, variant="separable"):
        super().__init__()
        self.lifting, self.first_norm = LiftingConv2d(1, 4, 3, SO2(4), padding=1), GroupBatchNorm2d(4)
        self.conv, self.norm = CONVOLUTIONS[variant](4, 6, 5, SO2(4), padding=2), GroupBatchNorm2d(6)
        for norm in (self.first_norm, self.norm):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.3, 2)
        self.eval()

    def forward(self, x):
        x = conv_norm_relu(self.lifting, self.first_norm, x)
        return norm_pool_relu(self.norm, conv_norm_relu(self.conv, self.norm, x))


@in_c
class TestOperators:
    def test_a_layer_has_those_of_eager_code(self):
        layer, x = wide_layer()
        call, forward, backward = compiled(layer)
        torch.testing.assert_close(gradients(call, layer, x), gradients(layer, layer, x), rtol=0, atol=0)
        assert forward >= SEPARABLE
        assert backward >= GRADIENTS
        assert not any("convolution" in name for name in forward | backward)

    def test_a_network_has_those_of_eager_code(self):
        network, x = SmallNetwork(), torch.randn(3, 1, 8, 6)
        call, forward, backward = compiled(network.train())
        call(x).sum().backward()
        assert forward >= {"siren", "mix_conv2d", "depthwise_conv2d"}
        assert backward >= {"batch_norm_backward", "norm_pool_backward", "mix_conv2d_backward", "siren_backward"}

    @pytest.mark.parametrize("variant", ["separable", "full", "dgseparable"])
    def test_results_are_those_of_the_definition_in_float64(self, variant):
        layer, x = CONVOLUTIONS[variant](3, 5, 5, SO2(8), padding=2, hidden_features=8), torch.randn(2, 3, 8, 9, 7)
        definition = copy.deepcopy(layer).double()
        definition.algorithm = "direct"
        actual, expected = gradients(compiled(layer)[0], layer, x), gradients(definition, definition, x.double())
        scale = max(e.norm() for e in expected[1:])
        for a, e in zip(actual, expected, strict=True):
            assert (a - e).norm() <= 1e-5 * (e.norm() + 0.01 * scale)

    @pytest.mark.parametrize("dynamic", [None, True])
    def test_one_graph_serves_other_batches(self, dynamic):
        layer, x = wide_layer()
        call, *_ = compiled(layer, dynamic=dynamic)
        for batch in (2, 5):
            images = x[:1].repeat(batch, 1, 1, 1, 1)
            torch.testing.assert_close(gradients(call, layer, images), gradients(layer, layer, images))

    def test_forward_mode_gradients_are_pytorchs(self):
        layer, x = wide_layer()
        call, forward, _ = compiled(lambda x: jvp(layer, (x,), (x + 1,))[1])
        torch.testing.assert_close(call(x), jvp(layer, (x,), (x + 1,))[1], rtol=1e-4, atol=1e-5)
        assert not forward & SEPARABLE

    def test_autocast_and_double_precision_are_pytorchs(self):
        layer, x = wide_layer()
        call, forward, _ = compiled(layer)
        with torch.autocast("cpu", torch.bfloat16):
            torch.testing.assert_close(call(x), layer(x))
        call, double, _ = compiled(layer.double())
        torch.testing.assert_close(call(x.double()), layer(x.double()))
        assert not (forward - {"siren"} | double) & SEPARABLE

    def test_an_exported_program_has_none(self):
        layer, x = wide_layer()
        program = torch.export.export(freeze(layer), (x,))
        assert not any("gcnn_impl" in str(node.target) for node in program.graph.nodes)

    def test_gradients_of_gradients_are_refused(self):
        layer, x = wide_layer()
        y = compiled(layer)[0](x.requires_grad_())
        with pytest.raises(RuntimeError, match=r"create_graph=False|does not currently support double backward"):
            torch.autograd.grad(torch.autograd.grad(y.square().sum(), x, create_graph=True)[0].sum(), x)

    def test_gray_images_have_the_weight_gradient_of_eager_code(self):
        layer, x = LiftingConv2d(1, 3, 5, SO2(4), padding=2), torch.randn(2, 1, 7, 6)
        call, _, _ = compiled(layer)
        torch.testing.assert_close(gradients(call, layer, x), gradients(layer, layer, x))


@in_c
def test_the_registration_of_each_operator_is_sound():
    operators, irreps = torch.ops.gcnn_impl, irreps_of(SO2(4))
    images, maps = torch.randn(2, 4, 6, 4, 3), torch.randn(2, 3, 4, 4, 6)
    channels, spectrum = torch.rand(3), torch.randn(irreps.values * 9)
    running = [torch.zeros(3), torch.ones(3)]
    pooled, weight = torch.randn(2, 2, 3, 4, 3), torch.randn(12, 12)
    net = [torch.randn(shape) for shape in [(8, 2), (8,), (8, 8), (8,), (6, 8), (6,)]]
    points = torch.randn(5, 2), torch.rand(5), torch.randint(6, (4, 9))
    kept = operators.siren(*points, net, 3.0, 3)[1]
    norm, eps = (channels, channels), 1e-5
    square = [place for row in (-1, 0, 1) for column in (-1, 0, 1) for place in (row, column)]
    plane, taps = torch.randn(2, 5, 4, 3), torch.randn(9, 6, 3)
    given = {
        "fourier_conv2d": (plane, taps, torch.rand(6), square),
        "fourier_conv2d_backward": (torch.randn(2, 5, 4, 6), plane, taps, square, True, True),
        "to_images": (maps,),
        "to_maps": (images,),
        "depthwise_conv2d": (images, torch.randn(12, 3, 3), channels, 2, True, False, torch.randn(2, 6, 8, 4, 3), True),
        "depthwise_conv2d_weight": (images, torch.randn(2, 4, 6, 4, 3), 3, 1, True),
        "mix_conv2d": (images, weight),
        "mix_conv2d_backward": (images, images, weight, True, False),
        "irreps_mix": (images, spectrum, *irreps.tables, 3),
        "irreps_mix_backward": (images, images, spectrum, *irreps.tables, False, True),
        "siren": (*points, net, 3.0, 3),
        "siren_backward": (torch.randn(4, 3, 9, 2), points[0], points[2], net, kept, 3.0),
        "batch_norm": (images, *norm, *running, images, True, 0.1, eps, True),
        "batch_norm_backward": (images, images, *norm, *norm, images, True, True),
        "norm_pool": (images, None, None, *running, True, 0.1, eps, True),
        "norm_pool_backward": (pooled, images, *norm, *norm, True, True),
    }
    for name, arguments in given.items():
        torch.library.opcheck(getattr(operators, name), arguments)


@pytest.mark.parametrize("variant", ["separable", "full"])
class TestInference:
    def test_kernels_and_norms_are_followed(self, variant):
        network, x = SmallNetwork(variant), torch.randn(3, 1, 8, 6)
        call, *_ = compiled(network)
        with torch.no_grad():
            torch.testing.assert_close(call(x), network(x), rtol=1e-4, atol=1e-5)
            change(network)
            torch.testing.assert_close(call(x), network(x), rtol=1e-4, atol=1e-5)

    def test_frozen_kernels_stay_and_are_not_generated(self, variant):
        network, x = SmallNetwork(variant), torch.randn(3, 1, 8, 6)
        with torch.no_grad():
            expected = freeze(network)(x)
            call, names, _ = compiled(network)
            torch.testing.assert_close(call(x), expected, rtol=1e-4, atol=1e-5)
            assert not {"siren", "aten.sin"} & names
            change(network)
            torch.testing.assert_close(call(x), network(x), rtol=1e-4, atol=1e-5)
            unfreeze(network)
            torch.testing.assert_close(call(x), network(x), rtol=1e-4, atol=1e-5)
            assert (network(x) - expected).norm() > 0.01 * expected.norm()


@in_c
def test_the_transform_over_the_plane_is_chosen_as_in_eager_code():
    layer, x = CONVOLUTIONS["full"](32, 32, 7, SO2(8), padding=3), torch.randn(2, 32, 8, 14, 14)
    assert [fourier_pays(batch, 14, 14, 256, 256, 29, 3, in_c=True) for batch in (2, 16)] == [False, True]
    call, names, _ = compiled(layer)
    with torch.no_grad():
        call(x)
        assert "fourier_conv2d" not in names
        images = torch.cat([x] * 8)
        torch.testing.assert_close(call(images), layer(images), rtol=1e-4, atol=1e-5)
    assert "fourier_conv2d" in names
