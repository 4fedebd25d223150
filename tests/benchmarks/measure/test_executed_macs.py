"""Every operator of ours has a rule for the MACs that it does; otherwise a profile of a network has no MACs."""

import torch

import gcnn_impl  # registers the operators
from benchmarks.measure.executed_macs import OWN_RULES


def test_every_operator_of_ours_has_a_rule() -> None:
    assert gcnn_impl.native is not None
    operators = {name.partition(".")[0] for name in torch._C._dispatch_get_all_op_names()}
    ours = {name for name in operators if name.startswith("gcnn_impl::")}
    assert {"gcnn_impl::depthwise_conv2d", "gcnn_impl::norm_pool"} <= ours
    assert ours - OWN_RULES.keys() == set()


def test_the_transform_over_the_plane_takes_three_real_products_for_a_complex_one() -> None:
    """An image of 3 × 4 pixels with a border of one pixel has 4 × 5 places, and its transform has 3 · 5 frequencies."""
    images, taps, offsets = torch.ones(2, 3, 4, 5), torch.ones(9, 7, 5), [-1, -1, -1, 0, -1, 1, 0, -1, 0, 0]
    of_a_map, of_a_pair = 2 * 3 * 3 * 4 + 3 * 4 * 3 * 3, 15 * (3 * 2 + 9)
    forward = OWN_RULES["gcnn_impl::fourier_conv2d"](None, images, taps, None, offsets)
    assert forward == 2 * (5 + 7) * of_a_map + 5 * 7 * of_a_pair
    backward = OWN_RULES["gcnn_impl::fourier_conv2d_backward"]
    assert backward(None, images, images, taps, offsets, True, False) == forward
    both = backward(None, images, images, taps, offsets, True, True)
    assert both - forward == 2 * 5 * of_a_map + 5 * 7 * of_a_pair
