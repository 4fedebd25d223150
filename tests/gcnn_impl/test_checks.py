"""Wrong arguments are refused before anything is computed, in one line that names the value and what is allowed."""

import inspect
import math

import numpy as np
import pytest
import torch

from gcnn_impl import (
    CONVOLUTIONS,
    O2,
    SO2,
    AllCNNC,
    AllCNNCConfig,
    GroupAllCNNCConfig,
    GroupConv2d,
    GroupResNet,
    GroupResNetConfig,
    LiftingConv2d,
    PlainResNet,
    PlainResNetConfig,
    RPlus,
    SeparableGroupConv2d,
    SO2xRPlus,
    build,
    count_macs,
    equivariance_error,
    freeze,
    functional,
    generation_macs,
    module_macs,
    network_redundancy,
    redundancy,
    unfreeze,
    width_for_parameters,
)
from gcnn_impl.checks import ALGORITHMS
from gcnn_impl.depthwise import depthwise_conv2d
from gcnn_impl.kernel_nets import SIREN
from gcnn_impl.layers import GroupBatchNorm2d

X = torch.zeros(2, 3, 4, 9, 9)
GROUP_KERNEL, SPATIAL, BIAS = torch.zeros(5, 4, 3, 4), torch.zeros(3, 4, 7, 7), torch.zeros(3)
PUBLIC = [
    function
    for name, function in vars(functional).items()
    if inspect.isfunction(function) and function.__module__ == functional.__name__ and not name.startswith("_")
]


class TestFunctions:
    @pytest.mark.parametrize(
        "wrong",
        [None, [1.0], "x", 3, np.zeros((2, 3, 4, 9, 9)), torch.zeros(())],
        ids=lambda value: type(value).__name__,
    )
    @pytest.mark.parametrize("function", PUBLIC, ids=lambda function: function.__name__)
    def test_anything_but_the_tensors_that_are_wanted(self, function, wrong):
        names = inspect.signature(function).parameters.values()
        wanted = [X, GROUP_KERNEL, SPATIAL, SPATIAL][: sum(each.default is each.empty for each in names)]
        for place in range(len(wanted)):
            with pytest.raises(ValueError, match="takes x|takes group_kernel|must be") as caught:
                function(*wanted[:place], wrong, *wanted[place + 1 :])
            assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("shape", [(2, 3, 4, 0, 9), (2, 3, 4, 9, 0), (2, 0, 4, 9, 9), (2, 3, 0, 9, 9)])
    @pytest.mark.parametrize("function", [functional.spatial_max_pool, functional.project, functional.flatten_group])
    def test_no_axis_but_the_batch_is_empty(self, function, shape):
        with pytest.raises(ValueError, match=r"x must be a tensor \(.*\) without empty axes, not \(2, "):
            function(torch.zeros(shape))
        assert len(function(X[:0])) == 0

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    @pytest.mark.parametrize(
        ("kernel", "bias", "padding"),
        [
            (torch.zeros(3, 4, 6, 6), None, 3),
            (torch.zeros(3, 4, 3, 5), None, 1),
            (torch.zeros(2, 4, 7, 7), None, 3),
            (torch.zeros(3, 8, 7, 7), None, 3),
            (torch.zeros(3, 4, 0, 0), None, 3),
            (SPATIAL, torch.zeros(4), 3),
            (SPATIAL, BIAS, -1),
            (SPATIAL, BIAS, 1.5),
            (SPATIAL, BIAS, (3, 3)),
            (torch.zeros(3, 4, 11, 11), None, 0),
            (SPATIAL.double(), None, 3),
            (SPATIAL.numpy(), None, 3),
            (None, None, 3),
        ],
    )
    def test_a_wrong_spatial_convolution(self, kernel, bias, padding, algorithm):
        with pytest.raises(ValueError, match=r"spatial_conv2d takes|^padding must be an integer") as caught:
            functional.spatial_conv2d(X, kernel, bias=bias, padding=padding, algorithm=algorithm)
        assert "\n" not in str(caught.value)

    def test_the_error_names_all_shapes(self):
        with pytest.raises(ValueError, match=r"not x \(2, 3, 4, 9, 9\), kernel \(2, 4, 7, 7\), bias \(3,\)"):
            functional.spatial_conv2d(X, torch.zeros(2, 4, 7, 7), bias=BIAS)

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    @pytest.mark.parametrize("shape", [(5, 4, 2, 4), (5, 4, 3, 8), (5, 4, 3), (5, 4, 3, 4, 1, 1), (0, 4, 3, 4)])
    def test_a_wrong_mix(self, shape, algorithm):
        with pytest.raises(ValueError, match="group_mix takes"):
            functional.group_mix(X, torch.zeros(shape), algorithm=algorithm)
        with pytest.raises(ValueError, match="separable_group_conv2d takes|group_mix takes"):
            functional.separable_group_conv2d(X, torch.zeros(shape), torch.zeros(5, 4, 7, 7), algorithm=algorithm)

    def test_kernels_that_do_not_fit_each_other(self):
        with pytest.raises(ValueError, match="separable_group_conv2d takes"):
            functional.separable_group_conv2d(X, GROUP_KERNEL, torch.zeros(5, 8, 7, 7), padding=3)
        with pytest.raises(ValueError, match="compose_kernels takes"):
            functional.compose_kernels(GROUP_KERNEL, torch.zeros(4, 4, 7, 7))
        factors = torch.zeros(5, 2, 3, 2), torch.zeros(5, 2, 1, 2), torch.zeros(5, 3, 3, 3)
        with pytest.raises(ValueError, match="R_out·S_out is 3"):
            functional.fully_separable_conv2d(X, *factors)

    @pytest.mark.parametrize(
        ("function", "shapes"),
        [
            (functional.lift_conv2d, [(2, 3, 9, 9), (5, 4, 2, 3, 3)]),
            (functional.group_conv2d, [(2, 3, 4, 9, 9), (5, 4, 3, 8, 3, 3)]),
            (functional.group_conv2d, [(2, 3, 4, 9, 9), (5, 4, 3, 4, 4, 4)]),
            (
                functional.disc_group_conv2d,
                [(2, 3, 4, 9, 9), (5, 4, 3, 4, 3, 3), (5, 4, 3, 4, 1, 2), (5, 4, 3, 4, 1, 2)],
            ),
            (functional.depthwise_group_conv2d, [(2, 3, 4, 9, 9), (3, 4, 2, 4, 3, 3)]),
            (functional.channel_mix, [(2, 3, 4, 9, 9), (5, 4)]),
            (functional.project, [(2, 3, 9, 9)]),
            (functional.spatial_max_pool, [(2, 3, 9, 9)]),
            (functional.flatten_group, [(2, 3, 9, 9)]),
            (functional.channels_last_kernel, [(2, 3, 9)]),
            (functional.group_major_kernel, [(2,)]),
            (GroupBatchNorm2d(3), [(2, 3, 9, 9)]),
            (depthwise_conv2d, [(2, 3, 9, 9), (3, 1, 4, 4)]),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_wrong_shapes(self, function, shapes):
        with pytest.raises(ValueError, match=r"takes x|must be a tensor|must have the shape"):
            function(*map(torch.zeros, shapes))

    def test_the_number_of_elements_divides_the_channels(self):
        with pytest.raises(ValueError, match="resolution must divide the 12 channels of x, not 5"):
            functional.unflatten_group(torch.zeros(2, 12, 5, 5), 5)

    def test_an_unknown_algorithm(self):
        for call in (
            lambda: functional.group_mix(X, GROUP_KERNEL, algorithm="fast"),
            lambda: functional.spatial_conv2d(X, SPATIAL, algorithm="fast"),
            lambda: functional.group_conv2d(X, torch.zeros(5, 4, 3, 4, 3, 3), algorithm=None),
        ):
            with pytest.raises(ValueError, match="unknown algorithm .*; allowed: auto, direct, disc, fourier"):
                call()

    def test_dtypes_may_differ_under_autocast_alone(self):
        with pytest.raises(
            ValueError, match=r"one dtype on one device, not x torch.bfloat16 on cpu, kernel torch.float32"
        ):
            functional.group_mix(X.bfloat16(), GROUP_KERNEL)
        with torch.autocast("cpu", torch.bfloat16):
            assert functional.group_mix(X.bfloat16(), GROUP_KERNEL).dtype == torch.bfloat16
        with pytest.raises(ValueError, match="floating-point tensors"):
            functional.group_mix(X.int(), GROUP_KERNEL.int())

    def test_a_float_is_no_integer_even_after_the_equal_integer_was_right(self):
        functional.spatial_conv2d(X, SPATIAL, padding=3)
        with pytest.raises(ValueError, match="padding must be an integer of at least 0, not 3.0"):
            functional.spatial_conv2d(X, SPATIAL, padding=3.0)


OPTIONS = [
    ({"hidden_features": 0}, "hidden_features must be an integer of at least 1, not 0"),
    ({"hidden_features": 3.5}, "hidden_features must be an integer of at least 1, not 3.5"),
    ({"hidden_features": 2**70}, "hidden_features must be at most 2147483647, not 1180591620717411303424"),
    ({"padding": 2**31}, "padding must be at most 2147483647, not 2147483648"),
    ({"bias": torch.zeros(2)}, r"bias must be True or False, not \(2,\)"),
    ({"hidden_features": -1}, "hidden_features must be an integer of at least 1, not -1"),
    ({"omega": 0}, "omega must be a finite positive number, not 0"),
    ({"omega": math.nan}, "omega must be a finite positive number, not nan"),
    ({"omega": -10}, "omega must be a finite positive number, not -10"),
    ({"omega": "10"}, "omega must be a finite positive number, not '10'"),
    ({"gain": math.nan}, "gain must be a finite number of at least 0, not nan"),
    ({"algorithm": None}, "unknown algorithm None; allowed: auto"),
    ({"stride": True}, "stride must be an integer of at least 1, not True"),
    ({"dtype": torch.int64}, "dtype must be a floating-point dtype, not torch.int64"),
]


class TestConstructors:
    @pytest.mark.parametrize(("options", "message"), OPTIONS, ids=lambda value: str(value))
    def test_layers(self, options, message):
        for convolution in (LiftingConv2d, GroupConv2d, SeparableGroupConv2d):
            with pytest.raises(ValueError, match=message):
                convolution(2, 2, 3, SO2(4), **options)

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: RPlus(3, "2"), "RPlus max_scale must be finite and greater than 1, not '2'"),
            (lambda: RPlus(3, 1e200), r"RPlus max_scale must be at most 1e\+06, not 1e\+200"),
            (lambda: RPlus(3, math.nan), "greater than 1, not nan"),
            (lambda: SO2xRPlus(3, 2.0), "scales must be an integer of at least 1, not 2.0"),
            (lambda: SIREN(-1, 2), "in_features must be an integer of at least 0, not -1"),
            (lambda: SIREN(2, 0), "out_features must be an integer of at least 1, not 0"),
            (lambda: build(None), "config must be one of PlainResNetConfig, .*, not None"),
            (lambda: PlainResNetConfig(num_classes=0), "num_classes must be an integer of at least 1, not 0"),
            (lambda: PlainResNetConfig(kernel_size=4), "kernel_size must be odd"),
            (lambda: PlainResNetConfig(widths=(8, 2.5)), "widths must be two or more positive channel counts"),
            (lambda: PlainResNetConfig(widths=None), "widths must be two or more positive channel counts, not None"),
            (lambda: PlainResNetConfig(dropout=math.nan), r"dropout must be in \[0, 1\), not nan"),
            (lambda: GroupResNetConfig(group=4), "group must be a Group such as"),
            (lambda: GroupResNetConfig(variant=["full"]), r"unknown variant \['full'\]; allowed: full, "),
            (lambda: GroupAllCNNCConfig(omega=0), "omega must be a finite positive number, not 0"),
            (lambda: count_macs(PlainResNetConfig(), 0), "image_size must be an integer of at least 1, not 0"),
            (lambda: width_for_parameters(PlainResNetConfig(), math.nan), "target must be at least 1, not nan"),
            (lambda: width_for_parameters(None, 9), "config must be one of PlainResNetConfig, .*, not None"),
            (lambda: GroupResNetConfig(sampled="no"), "sampled must be True or False, not 'no'"),
            (lambda: GroupResNet(None), "config must be a GroupResNetConfig, not None"),
            (lambda: GroupResNet(PlainResNetConfig()), r"config must be a GroupResNetConfig, not PlainResNetConfig\("),
            (lambda: PlainResNet(AllCNNCConfig()), r"config must be a PlainResNetConfig, not AllCNNCConfig\("),
            (lambda: AllCNNC(AllCNNCConfig(), dtype=torch.int8), "dtype must be a floating-point dtype"),
            (lambda: freeze(None), "module must be an nn.Module, not None"),
            (lambda: unfreeze([]), r"module must be an nn.Module, not \[\]"),
            (lambda: module_macs(None, X), "module must be an nn.Module, not None"),
            (lambda: generation_macs(3), "module must be an nn.Module, not 3"),
            (lambda: network_redundancy(None), "network must be an nn.Module, not None"),
            (lambda: equivariance_error(None, X, SO2(4)), "module must be an nn.Module, not None"),
            (lambda: equivariance_error(torch.nn.Identity(), X, None), "group must be a Group such as SO2"),
            (lambda: redundancy(torch.nn.Linear(2, 2)), "layer must be a GroupToGroupConv2d"),
        ],
    )
    def test_groups_nets_and_configs(self, make, message):
        with pytest.raises(ValueError, match=message) as caught:
            make()
        assert "\n" not in str(caught.value)

    def test_integers_of_numpy_are_integers(self):
        two, three = np.int64(2), np.int32(3)
        for convolution in CONVOLUTIONS.values():
            group = SO2xRPlus(two, np.int8(2))
            layer = convolution(two, two, three, group, stride=np.int64(1), padding=np.int64(1))
            assert layer(torch.zeros(1, 2, 4, 5, 5)).shape == (1, 2, 4, 5, 5)
            assert type(layer.in_channels) is int
        assert SO2(np.int64(4)) == SO2(4)
        assert repr(SO2(np.int64(4))) == "SO2(rotations=4)"
        config = GroupResNetConfig(widths=(np.int64(4), two), num_classes=three, group=SO2(4))
        assert build(config)(torch.zeros(2, 1, 8, 8)).shape == (2, 3)
        y = functional.spatial_conv2d(X, SPATIAL, padding=np.int64(3), stride=np.int64(1))
        assert y.shape == X.shape


class TestGrids:
    @pytest.mark.parametrize(
        ("out_elements", "message"),
        [
            (torch.zeros(0, 1), r"out_elements must have the shape \(1, 1\) on SO2.*, not \(0, 1\)"),
            (torch.full((4, 1), math.nan), "out_elements must be elements of SO2.*: finite coordinates; not"),
            ([0.0], "out_elements must have the shape"),
            (torch.tensor(0.0), "out_elements must have the shape"),
            (torch.zeros(4, 1, dtype=torch.bool), "out_elements must be real numbers, not torch.bool"),
            (torch.zeros(4, 1, dtype=torch.complex64), "out_elements must be real numbers, not torch.complex64"),
        ],
    )
    def test_wrong_elements(self, out_elements, message):
        group = SO2(4)
        with pytest.raises(ValueError, match=message):
            LiftingConv2d(1, 2, 3, group)(torch.zeros(1, 1, 5, 5), out_elements)
        with pytest.raises(ValueError, match=message):
            GroupConv2d(3, 2, 3, group)(X, group.elements(), out_elements)

    def test_signs_and_scales(self):
        elements = O2(2).elements()
        with pytest.raises(ValueError, match="a finite angle and a sign, 1 or −1"):
            GroupConv2d(3, 2, 3, O2(2))(X, elements, elements * 0.5)
        with pytest.raises(ValueError, match="scales from 1/1e"):
            GroupConv2d(3, 2, 3, RPlus(4))(X, RPlus(4).elements(), RPlus(4).elements() + 1000)
        with pytest.raises(ValueError, match="elements must be elements of SO2"):
            equivariance_error(torch.nn.Identity(), X, SO2(4), elements=torch.tensor([[math.inf]]))
