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
