"""Layers and networks are modules like any other in torch: one test for each feature of torch's modules.

``layers/test_variants.py`` tests that train and eval share one state_dict.
"""

import copy
import io
import os

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn.parallel import DistributedDataParallel

from gcnn_impl import (
    CONVOLUTIONS,
    O2,
    SO2,
    GroupAllCNNC,
    GroupAllCNNCConfig,
    GroupResNet,
    GroupResNetConfig,
    LiftingConv2d,
    SO2xRPlus,
    freeze,
)

LAYERS = ["lifting", *CONVOLUTIONS]
NETWORKS = ["resnet", "allcnnc"]

slow = pytest.mark.skipif("GCNN_TEST_SLOW" not in os.environ, reason="takes a minute; set GCNN_TEST_SLOW=1")


def small_layer(variant, **options):
    """Return a layer on a small grid and a batch of two inputs for it."""
    group = SO2xRPlus(4, 2) if variant == "separable2d" else SO2(4)
    dtype = options.get("dtype", torch.float32)
    if variant == "lifting":
        layer = LiftingConv2d(2, 3, 5, group, padding=2, **options)
        return layer, torch.randn(2, 2, 7, 6, dtype=dtype)
    layer = CONVOLUTIONS[variant](2, 3, 5, group, padding=2, hidden_features=8, **options)
    return layer, torch.randn(2, 2, group.resolution, 7, 6, dtype=dtype)


def small_network(name, variant="separable", **options):
    """Return a network, and enough images for a well-conditioned batch norm of (B, C) features."""
    x = torch.randn(8, 1, 12, 12, dtype=options.get("dtype", torch.float32))
    if name == "resnet":
        config = GroupResNetConfig(widths=(4, 6), kernel_size=5, group=SO2(4), variant=variant, dropout=0.0)
        return GroupResNet(config, **options), x
    config = GroupAllCNNCConfig(1, 10, (4, 6), first_dropout=0.0, dropout=0.0, group=SO2(4), variant=variant)
    return GroupAllCNNC(config, **options), x


def small_module(name, **options):
    """Return a layer, or a network in float64, because in float32 rounding may decide where a maximum is."""
    if name in NETWORKS:
        options = {"dtype": torch.float64, **options}
    return small_network(name, **options) if name in NETWORKS else small_layer(name, **options)


def gradients(module, x):
    """Return the output, and the gradients of its squared sum with respect to the input and the parameters."""
    x = x.detach().requires_grad_()
    y = module(x)
    return y.detach(), torch.autograd.grad(y.square().sum(), [x, *module.parameters()])


def assert_near(actual, expected, tolerance=1e-4, share=0.01):
    """Assert equality in norm; the tolerance of a gradient includes a share of the largest gradient's norm.

    Batch norm makes some gradients zero up to rounding, so that their relative error is arbitrary.
    """
    (y, grads), (expected_y, expected_grads) = actual, expected
    assert (y - expected_y).norm() <= tolerance * expected_y.norm()
    scale = torch.stack([e.norm() for e in expected_grads]).max()
    for g, e in zip(grads, expected_grads, strict=True):
        assert (g - e).norm() <= tolerance * (e.norm() + share * scale)


@pytest.mark.parametrize("name", LAYERS + NETWORKS)
def test_deepcopy(name):
    module, x = small_module(name)
    module.eval()
    with torch.no_grad():
        expected = module(x)  # with a filled cache
        twin = copy.deepcopy(module)
        torch.testing.assert_close(twin(x), expected)
        for p in twin.parameters():
            p.zero_()
        torch.testing.assert_close(module(x), expected)
    gradients(copy.deepcopy(module), x)


@pytest.mark.parametrize("name", LAYERS + NETWORKS)
def test_state_dict_through_a_file(name):
    module, x = small_module(name)
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    buffer.seek(0)
    twin, _ = small_module(name)
    twin.load_state_dict(torch.load(buffer, weights_only=True))
    with torch.no_grad():
        torch.testing.assert_close(twin.eval()(x), module.eval()(x))


@pytest.mark.parametrize("name", LAYERS + NETWORKS)
def test_float64(name):
    module, x = small_module(name, dtype=torch.float64)
    assert {t.dtype for t in module.state_dict().values()} <= {torch.float64, torch.int64}
    y, grads = gradients(module, x)
    assert {y.dtype, *(g.dtype for g in grads)} == {torch.float64}
    single, _ = small_module(name, dtype=torch.float32)
    single.load_state_dict(module.state_dict())
    module, single = module.eval(), single.eval()
    torch.testing.assert_close(single(x.float()).double(), module(x), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(single.double()(x), module(x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS + NETWORKS)
def test_meta_device(name):
    real, x = small_module(name)
    module, _ = small_module(name, device="meta")
    assert module(x.to("meta")).shape == real(x).shape
    module = module.to_empty(device="cpu")
    for m in module.modules():
        if hasattr(m, "reset_parameters"):
            m.reset_parameters()
    y, grads = gradients(module, x)
    assert all(t.isfinite().all() for t in (y, *grads))
    assert y.std() > 0
    module.load_state_dict(real.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(module.eval()(x), real.eval()(x))


@pytest.mark.parametrize("name", LAYERS + NETWORKS)
def test_channels_last(name):
    module, x = small_module(name)
    twin = copy.deepcopy(module)
    layout = torch.channels_last if x.dim() == 4 else torch.channels_last_3d
    expected, actual = gradients(module, x), gradients(twin, x.to(memory_format=layout))
    assert_near(actual, expected)


@pytest.mark.parametrize("name", LAYERS)
def test_gradcheck(name):
    layer, x = small_layer(name, dtype=torch.float64)
    x = x[:1, :, ..., :5, :5].contiguous().requires_grad_()
    names, parameters = zip(*layer.named_parameters(), strict=True)

    def forward(x, *parameters):
        return functional_call(layer, dict(zip(names, parameters, strict=True)), (x,))

    assert torch.autograd.gradcheck(forward, (x, *parameters), fast_mode=True)


@pytest.mark.parametrize("name", ["full", "separable", "gseparable"])
def test_gradgradcheck(name):
    layer, x = small_layer(name, dtype=torch.float64)
    x = x[:1, :, :, :5, :5].contiguous().requires_grad_()
    assert torch.autograd.gradgradcheck(layer, (x,), fast_mode=True)


@pytest.mark.parametrize("name", LAYERS)
def test_torch_func(name):
    layer, x = small_layer(name, dtype=torch.float64)
    parameters = {key: p.detach() for key, p in layer.named_parameters()}

    def loss(parameters, x):
        return functional_call(layer, parameters, (x[None],)).square().sum()

    # Gradients for each sample, with one vmap over the batch.
    per_sample = vmap(grad(loss), in_dims=(None, 0))(parameters, x)
    _, expected = gradients(layer, x)
    summed = [per_sample[key].sum(0) for key in parameters]
    torch.testing.assert_close(summed, list(expected[1:]))

    # An ensemble: vmap over stacked parameters.
    twin, _ = small_layer(name, dtype=torch.float64)
    stacked, _ = torch.func.stack_module_state([layer, twin])
    outputs = vmap(lambda p: functional_call(layer, p, (x,)))(stacked)
    torch.testing.assert_close(outputs, torch.stack([layer(x), twin(x)]))


HALF = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)


@HALF
@pytest.mark.parametrize("name", LAYERS + NETWORKS)
def test_autocast(name, dtype):
    module, x = small_module(name, dtype=torch.float32)
    module.eval()
    expected = gradients(module, x)
    x.requires_grad_()
    with torch.autocast("cpu", dtype):
        y = module(x)
    grads = torch.autograd.grad(y.float().square().sum(), [x, *module.parameters()])  # outside autocast
    assert y.dtype == (dtype if name != "allcnnc" else y.dtype)
    assert {g.dtype for g in grads} == {torch.float32}
    # The worst of 150 networks: 3.3 eps.
    assert (y - expected[0]).norm() <= (6 if name in NETWORKS else 2) * torch.finfo(dtype).eps * expected[0].norm()
    if name not in NETWORKS:
        # The largest error in 2,800 draws was 1.5 eps.
        assert_near((y, grads), expected, 4 * torch.finfo(dtype).eps, share=0.1)


@HALF
@pytest.mark.parametrize("name", LAYERS)
def test_autocast_around_the_backward_pass_too(name, dtype):
    layer, x = small_layer(name)
    _, expected_grads = gradients(layer, x)
    x.requires_grad_()
    with torch.autocast("cpu", dtype):
        # The kernel nets' backward pass is in half precision too; a sum instead of the mean would overflow in float16.
        y = layer(x)
        grads = torch.autograd.grad(y.square().mean(), [x, *layer.parameters()])
    actual = torch.cat([g.flatten() for g in grads]) * y.numel()
    expected = torch.cat([e.flatten() for e in expected_grads])
    assert {g.dtype for g in grads} == {torch.float32}
    assert (actual - expected).norm() <= 12 * torch.finfo(dtype).eps * expected.norm()  # largest in 5,600 draws: 6


@pytest.mark.parametrize("name", LAYERS)
def test_autocast_leaves_kernels_in_single_precision(name):
    layer, _ = small_layer(name)  # half precision is too coarse for sines
    expected = layer.kernels()
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(layer.kernels(), expected, rtol=0, atol=0)


class TestCompile:
    @pytest.fixture(autouse=True)
    def _fresh(self):
        torch.compiler.reset()
        yield
        torch.compiler.reset()

    @pytest.mark.parametrize(
        "name", ["separable", pytest.param("full", marks=slow), pytest.param("resnet", marks=slow)]
    )
    def test_code(self, name):
        module, x = small_module(name)
        twin = copy.deepcopy(module)
        assert_near(gradients(torch.compile(module, fullgraph=True), x), gradients(twin, x), 1e-3)
        torch.testing.assert_close(module.state_dict(), twin.state_dict(), rtol=1e-3, atol=1e-3)

    # Code generation takes most of the time; here every graph is captured, differentiated and run without it.
    @pytest.mark.parametrize("name", [*LAYERS, *NETWORKS])
    def test_every_graph_is_whole(self, name):
        module, x = small_module(name)
        twin = copy.deepcopy(module)
        compiled = torch.compile(module, fullgraph=True, backend="aot_eager")
        assert_near(gradients(compiled, x), gradients(twin, x))
        with torch.no_grad():
            torch.testing.assert_close(compiled.eval()(x), twin.eval()(x))


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("name", LAYERS + NETWORKS)
def test_torch_export(name, frozen):
    module, x = small_module(name)
    module = freeze(module) if frozen else module.eval()
    program = torch.export.export(module, (x,), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    generates_kernels = any(node.target is torch.ops.aten.sin.default for node in program.graph.nodes)
    assert generates_kernels is not frozen
    with torch.no_grad():
        torch.testing.assert_close(program.module()(x), module(x))
        larger = torch.cat([x, x, x])
        torch.testing.assert_close(program.module()(larger), module(larger))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("variant", "prepare"), [("separable", freeze), ("dgseparable", nn.Module.eval)])
def test_torch_export_with_dynamic_height_and_width(name, variant, prepare):
    network, _ = small_network(name, variant)
    network = prepare(network)
    sides = {i: torch.export.Dim(axis, min=12, max=64) for i, axis in [(2, "height"), (3, "width")]}
    batch = {0: torch.export.Dim("batch", min=1)}
    program = torch.export.export(network, (torch.randn(2, 1, 14, 16),), dynamic_shapes=({**batch, **sides},)).module()
    with torch.no_grad():
        for shape in [(2, 1, 14, 16), (1, 1, 13, 15), (3, 1, 21, 12)]:  # even and odd
            x = torch.randn(shape)
            torch.testing.assert_close(program(x), network(x), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "prepare"),
    [("full", nn.Module.eval), ("dseparable", freeze), ("separable2d", nn.Module.eval), ("resnet", freeze)],
)
def test_onnx(name, prepare):
    pytest.importorskip("onnxscript", reason="the ONNX exporter needs onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime", reason="running the exported model needs onnxruntime")
    module, x = small_module(name, dtype=torch.float32)
    module = prepare(module)
    with torch.no_grad():
        program = torch.onnx.export(module, (x,), dynamo=True, verbose=False)
        expected = module(x)
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    (actual,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(actual), expected, rtol=1e-3, atol=1e-4)


def _data_parallel_step(rank, path, state, x):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{path}/store", rank=rank, world_size=2)
    net = nn.Sequential(LiftingConv2d(1, 3, 5, O2(2), padding=2), CONVOLUTIONS["separable"](3, 2, 3, O2(2)))
    net.load_state_dict(state)
    parallel = DistributedDataParallel(net)
    parallel(x[rank::2]).square().mean().backward()
    torch.save([p.grad for p in net.parameters()], f"{path}/gradients{rank}.pt")
    torch.distributed.destroy_process_group()


def test_data_parallel_gradients_are_those_of_the_whole_batch(tmp_path):
    net = nn.Sequential(LiftingConv2d(1, 3, 5, O2(2), padding=2), CONVOLUTIONS["separable"](3, 2, 3, O2(2)))
    x = torch.randn(4, 1, 8, 8)
    y = net(x)
    y.square().mean().backward()
    state = {key: value.detach() for key, value in net.state_dict().items()}
    torch.multiprocessing.spawn(_data_parallel_step, (str(tmp_path), state, x), nprocs=2)
    expected = [p.grad for p in net.parameters()]
    for rank in range(2):
        actual = torch.load(tmp_path / f"gradients{rank}.pt", weights_only=True)
        # The largest error of 6,000 draws was 16 eps, in one process too: the order of summation differs. Single
        # elements differ by more, where the gradients of the halves cancel.
        assert_near((y, actual), (y, expected), 64 * torch.finfo(torch.float32).eps)
