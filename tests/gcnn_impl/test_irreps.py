"""The Fourier transform over a finite group H: its basis, its blocks, and convolutions over H by it."""

import pytest
import torch

from gcnn_impl import O2, SO2, RPlus, SeparableGroupConv2d, SO2xRPlus, freeze, functional, native
from gcnn_impl.groups import Trivial
from gcnn_impl.irreps import FEWEST_MAPS, irreps_of, irreps_that_pay

FINITE = [SO2(1), SO2(2), SO2(3), SO2(4), SO2(5), SO2(8), SO2(12), SO2(16), O2(1), O2(2), O2(3), O2(4), O2(8)]
GROUPS = [*FINITE, SO2xRPlus(4, 1), SO2xRPlus(1, 3), SO2xRPlus(4, 3), SO2xRPlus(8, 2)]
in_c = pytest.mark.skipif(native.status() != "in use", reason=native.status())


@pytest.fixture(params=GROUPS, ids=str)
def group(request):
    return request.param


def values_of(group, c_in=3, c_out=5):
    """Return values of a kernel at the output elements at the identity of K, (S, |H|, C_o, C_i), in float64."""
    return torch.randn(irreps_of(group).scales, group.resolution, c_out, c_in, dtype=torch.float64)


def kernel_of(group, values):
    """Return the kernel k_oi(h⁻¹h') with these values, (S, |H|, C_o, C_i) → (C_o, |H|, C_i, |H|)."""
    irreps = irreps_of(group)
    kernel = values.unflatten(1, (irreps.order, irreps.scales))[:, irreps.relative]  # (S, |K|, |K|, S, C_o, C_i)
    return kernel.permute(4, 1, 0, 5, 2, 3).flatten(4).flatten(1, 2)


def by_definition(group, x, values, cotangent):
    """Return the mixing of x by the kernel with these values, and its gradients with respect to x and the values."""
    inputs = x.clone().requires_grad_(), values.clone().requires_grad_()
    y = functional.group_mix(inputs[0], kernel_of(group, inputs[1]))
    return y.detach(), *torch.autograd.grad(y, inputs, cotangent)


@pytest.mark.parametrize("group", FINITE, ids=str)
def test_the_matrices_are_representations_and_add_up_to_all_maps(group):
    elements = group.elements()
    products = group.compose(elements[:, None], elements[None])
    dimensions = 0
    for matrices, copies in group.representations():
        size = matrices.shape[-1]
        dimensions += size * copies
        torch.testing.assert_close(matrices @ matrices.mT, torch.eye(size).double().expand_as(matrices))
        # The number of g·h, found by the relative element of the identity and g·h.
        distance = torch.cdist(group.matrix(products).flatten(2), group.matrix(elements).flatten(1)[None])
        torch.testing.assert_close(matrices[distance.argmin(-1)], matrices[:, None] @ matrices[None])
    assert dimensions == group.resolution


def test_the_basis_is_orthonormal_and_the_blocks_cover_it(group):
    irreps = irreps_of(group)
    torch.testing.assert_close(irreps.basis @ irreps.basis.T, torch.eye(irreps.order).double())
    assert [first for first, _, _ in irreps.blocks] == [
        sum(size for _, size, _ in irreps.blocks[:n]) for n in range(len(irreps.blocks))
    ]
    assert sum(size * size for _, size, _ in irreps.blocks) <= irreps.order**2


def test_a_kernel_comes_back_from_its_spectrum(group):
    values, irreps = values_of(group), irreps_of(group)
    torch.testing.assert_close(irreps.kernel(irreps.spectrum(values), 3, 5), kernel_of(group, values))


def test_grids_that_are_no_finite_group_have_none():
    assert [irreps_of(grid) for grid in (Trivial(), RPlus(4))] == [None, None]


def test_they_pay_from_a_number_of_maps_on_and_on_our_own_grids_alone():
    class Shifted(SO2):
        def elements(self):
            return super().elements() + 0.1

    enough = FEWEST_MAPS // 8
    assert irreps_that_pay(SO2(8), enough, enough) is irreps_of(SO2(8))
    assert irreps_that_pay(SO2(8), enough, enough - 1) is None
    assert irreps_that_pay(SO2(3), 1000, 1000) is None
    assert irreps_that_pay(RPlus(8), 1000, 1000) is None
    assert irreps_that_pay(Shifted(8), 1000, 1000) is None


def test_a_convolution_over_h_multiplies_blocks(group):
    values, irreps = values_of(group), irreps_of(group)
    x = torch.randn(2, 3, group.resolution, 4, 6, dtype=torch.float64)
    torch.testing.assert_close(
        functional.fourier_group_mix(x, irreps.spectrum(values), irreps),
        functional.group_mix(x, kernel_of(group, values)),
    )


@in_c
@pytest.mark.parametrize(
    ("shape", "channels"),
    [((2, 4, 6), (3, 5)), ((1, 1, 1), (1, 40)), ((1, 28, 28), (16, 16)), ((3, 13, 17), (33, 8))],
    ids=str,
)
def test_the_operator_in_c_equals_the_definition_in_every_layout(group, channels, shape, threads):
    (c_in, c_out), (batch, *sides) = channels, shape
    irreps = irreps_of(group)
    values = values_of(group, c_in, c_out)
    x = torch.randn(batch, c_in, group.resolution, *sides)
    cotangent = torch.randn(batch, c_out, group.resolution, *sides)
    doubles = x.double(), values, cotangent.double()
    expected = by_definition(group, *doubles)
    terms = by_definition(group, *(tensor.abs() for tensor in doubles))  # sums of the terms' absolute values
    for other in (x, x.permute(0, 3, 4, 2, 1).contiguous().permute(0, 4, 3, 1, 2)):
        inputs = other.detach().requires_grad_(), values.float().requires_grad_()
        y = functional.fourier_group_mix(inputs[0], irreps.spectrum(inputs[1]), irreps)
        actual = y, *torch.autograd.grad(y, inputs, cotangent)
        for a, e, t in zip(actual, expected, terms, strict=True):
            assert (a - e).norm() <= 2e-6 * e.norm() + 1.5e-7 * t.norm()  # the sum of the terms may be near 0


@in_c
def test_the_operator_computes_the_same_bits_again(threads):
    irreps = irreps_of(SO2(8))
    x = torch.randn(4, 12, 8, 20, 20, requires_grad=True)
    spectrum = torch.randn(irreps.values * 12 * 7, requires_grad=True)

    def run():
        y = functional.fourier_group_mix(x, spectrum, irreps)
        return y, *torch.autograd.grad(y, (x, spectrum), y.detach())

    first = run()
    for _ in range(5):
        assert all(torch.equal(a, b) for a, b in zip(run(), first, strict=True))


@in_c
def test_gradients_of_gradients_are_those_of_pytorch():
    irreps = irreps_of(O2(3))
    single = torch.randn(1, 2, 6, 3, 3, requires_grad=True), torch.randn(irreps.values * 2 * 3, requires_grad=True)
    double = tuple(value.detach().double().requires_grad_() for value in single)

    def second(x, spectrum):
        y = functional.fourier_group_mix(x, spectrum, irreps)
        first = torch.autograd.grad(y.square().sum(), (x, spectrum), create_graph=True)
        return torch.autograd.grad(sum(g.square().sum() for g in first), (x, spectrum))

    for a, e in zip(second(*single), second(*double), strict=True):
        torch.testing.assert_close(a.double(), e, rtol=1e-4, atol=1e-4 * float(e.abs().max()))


@pytest.mark.parametrize(
    ("x", "spectrum"),
    [
        (torch.zeros(1, 2, 4, 3, 3), torch.zeros(14 * 6)),  # another |H|
        (torch.zeros(1, 2, 8, 3, 3), torch.zeros(14 * 6 + 1)),
        (torch.zeros(1, 4, 8, 3, 3), torch.zeros(14 * 6)),  # no whole number of output channels
        (torch.zeros(1, 2, 8, 3, 3), torch.zeros(14, 6)),
        (torch.zeros(1, 2, 8, 3, 3), torch.zeros(14 * 6).double()),
    ],
)
def test_wrong_shapes_are_refused_with_their_sizes(x, spectrum):
    with pytest.raises(ValueError, match="fourier_group_mix takes"):
        functional.fourier_group_mix(x, spectrum, irreps_of(SO2(8)))


@in_c
@pytest.mark.parametrize(
    "blocks",
    [
        [[0, 1, 0]],  # components are missing
        [[0, 1, 0], [1, 1, 9], [2, 2, 2]],  # a weight beyond the spectrum
        [[0, 1, 0], [2, 1, 1], [2, 2, 2]],
        [[0, 1, -1], [1, 1, 1], [2, 2, 2]],
        [[0, 4, 0]],
        [[0, 1], [1, 1], [2, 2]],
    ],
    ids=str,
)
def test_the_operator_reads_no_block_outside_of_its_spectrum(blocks):
    irreps = irreps_of(SO2(4))
    basis, upright, _ = irreps.tables
    images, spectrum = torch.zeros(1, 3, 3, 4, 2), torch.zeros(irreps.values * 2 * 2)
    with pytest.raises(ValueError, match="whose sizes fit each other"):
        torch.ops.gcnn_impl.irreps_mix(images, spectrum, basis, upright, torch.tensor(blocks), 2)


@in_c
@pytest.mark.parametrize("wrong", ["gradient", "dtype", "layout"])
def test_the_operator_reads_nothing_outside_of_other_tensors(wrong):
    irreps = irreps_of(SO2(4))
    basis, upright, blocks = irreps.tables
    images, gradient = torch.zeros(1, 3, 3, 4, 2), torch.zeros(1, 3, 3, 4, 4)
    spectrum = torch.zeros(irreps.values * 2 * 4)
    torch.ops.gcnn_impl.irreps_mix_backward(gradient, images, spectrum, basis, upright, blocks, True, True)
    if wrong == "gradient":
        gradient = torch.zeros(1, 3, 3, 4)
    else:
        blocks = blocks.int() if wrong == "dtype" else blocks.t().contiguous().t()
    with pytest.raises(ValueError, match="whose sizes fit each other"):
        torch.ops.gcnn_impl.irreps_mix_backward(gradient, images, spectrum, basis, upright, blocks, True, True)


class TestLayer:
    """Separable layers that are wide enough for the transform, against their definition in float64."""

    @pytest.fixture(params=[(SO2(8), 16, 16), (O2(4), 12, 24), (SO2xRPlus(4, 2), 16, 18), (SO2(4), 32, 40)], ids=str)
    def layers(self, request):
        """Return a layer, and a copy that computes the definition."""
        group, c_in, c_out = request.param
        layer = SeparableGroupConv2d(c_in, c_out, 3, group, padding=1)
        definition = SeparableGroupConv2d(c_in, c_out, 3, group, padding=1, algorithm="direct", dtype=torch.float64)
        definition.load_state_dict(layer.state_dict())
        return layer, definition

    @staticmethod
    def map_for(layer):
        return torch.randn(2, layer.in_channels, layer.group.resolution, 9, 11)

    @in_c
    def test_it_mixes_by_the_transform(self, layers):
        (spectrum, _), (kernel, _) = (layer.kernels() for layer in layers)
        assert (spectrum.dim(), kernel.dim()) == (1, 4)

    def test_values_and_all_gradients_are_those_of_the_definition(self, layers):
        results = []
        x = self.map_for(layers[0])
        for layer in layers:
            inputs = x.to(layer.bias.dtype, copy=True).requires_grad_(), *layer.parameters()
            y = layer(inputs[0])
            results.append((y, *torch.autograd.grad(y.square().sum(), inputs)))
        for a, e in zip(*results, strict=True):
            assert (a - e).norm() <= 1e-5 * e.norm()

    def test_inference_with_kept_and_with_frozen_kernels(self, layers):
        layer, definition = (each.eval() for each in layers)
        x = self.map_for(layer)
        with torch.no_grad():
            expected = definition(x.double())
            for each in (layer, layer, freeze(layer)):
                assert (each(x) - expected).norm() <= 1e-5 * expected.norm()

    def test_other_dtypes_and_transforms_take_the_kernel_back(self, layers):
        layer, definition = layers
        x = self.map_for(layer)
        expected = definition(x.double())
        with torch.autocast("cpu", torch.bfloat16):
            assert (layer(x) - expected).norm() <= 3e-2 * expected.norm()
        mapped = torch.func.vmap(lambda one: layer(one[None])[0])(x)
        assert (mapped - expected).norm() <= 1e-5 * expected.norm()
        _, pushed = torch.func.jvp(layer, (x,), (x,))
        _, expected_push = torch.func.jvp(definition, (x.double(),), (x.double(),))
        assert (pushed - expected_push).norm() <= 1e-5 * expected_push.norm()

    def test_frozen_kernels_serve_every_map(self, layers):
        """A spectrum that was made for the operator in C is used by PyTorch too."""
        layer, definition = layers
        x = self.map_for(layer)
        freeze(layer)
        with torch.no_grad():
            expected = definition(x.double())
            mapped = torch.func.vmap(lambda one: layer(one[None])[0])(x)
        assert (mapped - expected).norm() <= 1e-5 * expected.norm()

    def test_explicit_grids_take_the_dense_product(self, layers):
        layer, definition = layers
        x, group = self.map_for(layer), layer.group
        grids = group.sample(torch.Generator().manual_seed(1)), group.elements()
        expected = definition(x.double(), *grids)
        assert (layer(x, *grids) - expected).norm() <= 1e-5 * expected.norm()
