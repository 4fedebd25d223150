"""Networks that see turned copies of an image: the copies, the averaged network and the canonical one."""

import math

import pytest
import torch

from gcnn_impl import (
    SO2,
    AllCNNCConfig,
    AveragedConfig,
    CanonicalConfig,
    PlainResNetConfig,
    build,
    count_macs,
    count_parameters,
    equivariance_error,
    width_for_parameters,
)
from gcnn_impl.equivariance import transform_image
from gcnn_impl.models import turned_copies
from gcnn_impl.models.turned import Orientation

PLAIN = PlainResNetConfig(in_channels=2, widths=(4, 8), kernel_size=5, dropout=0.0)
CONFIGS = [
    kind(network, SO2(n))
    for kind in (AveragedConfig, CanonicalConfig)
    for network in (PLAIN, AllCNNCConfig(in_channels=2, widths=(4, 6), first_dropout=0.0, dropout=0.0))
    for n in (4, 8)
]


def smooth(size):
    """Return two smooth images that are zero near their edges, (1, 2, S, S)."""
    y, x = torch.meshgrid(*2 * [torch.linspace(-1, 1, size)], indexing="ij")
    bumps = [torch.exp(-((x - a) ** 2 + (y - b) ** 2) / 0.05) for a, b in [(0.3, 0.1), (-0.2, 0.4)]]
    return torch.stack(bumps)[None]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6, 8, 12])
def test_copies_are_the_image_turned_by_every_rotation(n):
    x, group = smooth(61), SO2(n)
    copies = turned_copies(x, group)
    expected = torch.stack([transform_image(x, group.matrix(g)) for g in group.elements()])  # bicubic
    assert copies.shape == (n, 1, 2, 61, 61)
    assert (copies - expected).abs().max() < 0.03
    assert torch.equal(copies[0], x)


@pytest.mark.parametrize("n", [2, 4, 6, 8, 12])
def test_turning_the_image_by_quarter_or_half_turns_permutes_the_copies(n):
    x, quarters = torch.randn(2, 3, 9, 9), math.gcd(n, 4)
    turned = turned_copies(x.rot90(4 // quarters, (-2, -1)), SO2(n))
    # A copy of the turned image is read from the turned image: so only permuted pixels are equal to the last bit.
    torch.testing.assert_close(turned, turned_copies(x, SO2(n)).roll(-(n // quarters), 0))


@pytest.mark.parametrize("shape", [(1, 9, 9), (2, 1, 8, 9)])
def test_copies_of_other_than_square_images_are_refused(shape):
    with pytest.raises(ValueError, match=r"square images \(B, C, S, S\) are needed, not .*9"):
        turned_copies(torch.zeros(shape), SO2(4))


@pytest.mark.parametrize("config", CONFIGS, ids=repr)
@pytest.mark.parametrize("size", [16, 19])
def test_both_networks_are_invariant_to_quarter_turns(config, size):
    net, x = build(config).eval(), torch.randn(3, 2, size, size)
    error = equivariance_error(net, x, SO2(4))
    assert error <= 1e-5
    assert equivariance_error(net.network, x, SO2(4)) > 20 * error  # the plain network alone is not


@pytest.mark.parametrize(
    "config", [c for c in CONFIGS if c.group == SO2(8) and isinstance(c, AveragedConfig)], ids=repr
)
def test_the_averaged_network_comes_close_to_invariance_under_the_other_rotations(config):
    net, x = build(config).eval(), smooth(32)
    others = SO2(8).elements()[1::2]
    error = equivariance_error(net, x, SO2(8), elements=others)
    assert error < 0.3 * equivariance_error(net.network, x, SO2(8), elements=others)


def test_the_averaged_network_is_the_plain_one_in_training_and_the_mean_of_its_logits_in_evaluation():
    net, x = build(AveragedConfig(PLAIN, SO2(4))), torch.randn(5, 2, 16, 16)
    net.eval()
    expected = torch.stack([net.network(x.rot90(q, (-2, -1))) for q in range(4)]).mean(0)
    torch.testing.assert_close(net(x), expected)
    net.train()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    found = net(x)
    net.load_state_dict(state)
    assert torch.equal(found, net.network(x))


def test_scores_of_orientation_are_permuted_by_quarter_turns():
    scorer, x = Orientation(CanonicalConfig(PLAIN, SO2(8))).eval(), torch.randn(2, 2, 16, 16)
    torch.testing.assert_close(scorer(x.rot90(1, (-2, -1))), scorer(x).roll(2, 1), rtol=1e-4, atol=1e-6)


def test_the_canonical_network_sees_the_copy_that_its_scores_choose():
    net, x = build(CanonicalConfig(PLAIN, SO2(8))).eval(), torch.randn(6, 2, 16, 16)
    copies, chosen = turned_copies(x, SO2(8)), net.orientation(x).argmax(1)
    expected = torch.stack([copies[-h % 8, i] for i, h in enumerate(chosen.tolist())])
    assert torch.equal(net.upright(x), expected)
    assert torch.equal(net(x), net.network(expected))


def test_training_gives_the_scores_the_gradients_of_a_softmax_and_the_classifier_the_chosen_copy():
    net, x = build(CanonicalConfig(PLAIN, SO2(4))), torch.randn(6, 2, 16, 16)
    net.orientation.eval()  # fixed statistics, so that both passes see the same scores
    hard = net.upright(x)
    expected = net.eval().upright(x)
    net.train().orientation.eval()
    torch.testing.assert_close(hard, expected)
    weight = torch.randn_like(x)
    (hard * weight).sum().backward()
    found = {name: p.grad.clone() for name, p in net.orientation.named_parameters()}
    net.zero_grad()
    soft = net.orientation(x).softmax(1)
    back = torch.stack([turned_copies(x, SO2(4))[-h % 4] for h in range(4)])
    (torch.einsum("bh,hbcij->bcij", soft, back) * weight).sum().backward()
    for name, p in net.orientation.named_parameters():
        torch.testing.assert_close(found[name], p.grad, rtol=1e-4, atol=1e-6, msg=name)
    assert any(gradient.abs().max() > 0 for gradient in found.values())


def test_costs_count_every_copy_and_the_group_network():
    plain_macs, plain_parameters = count_macs(PLAIN, 16), count_parameters(PLAIN)
    averaged, canonical = AveragedConfig(PLAIN, SO2(8)), CanonicalConfig(PLAIN, SO2(8))
    assert (count_macs(averaged, 16), count_parameters(averaged)) == (8 * plain_macs, plain_parameters)
    scorer = build(canonical, device="meta").orientation
    assert count_parameters(canonical) == plain_parameters + sum(p.numel() for p in scorer.parameters())
    lifting, separable, last = 8 * 2 * 4 * 25, 8 * 4 * (8 * 4 + 25), 8 * (8 * 4 + 1)
    assert count_macs(canonical, 16) == plain_macs + 16**2 * (lifting + separable + last)


@pytest.mark.parametrize("kind", [AveragedConfig, CanonicalConfig])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"network": AveragedConfig()}, "network must be a PlainResNetConfig or an AllCNNCConfig, not Averaged"),
        ({"group": None}, "group must be an SO2, not None"),
    ],
)
def test_what_cannot_be_built_is_refused(kind, wrong, message):
    with pytest.raises(ValueError, match=message):
        kind(**wrong)
    with pytest.raises(ValueError, match="has no widths of its own; scale its network"):
        width_for_parameters(kind(), 1000)
