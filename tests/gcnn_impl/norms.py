"""Batch norms of every kind, with statistics and parameters as after training, for the tests of the operators."""

import torch

from gcnn_impl.layers import GroupBatchNorm2d

NEITHER = {"affine": False, "track_running_stats": False}
OPTIONS = [{}, {"affine": False}, {"track_running_stats": False}, NEITHER]


def norm_of(channels, **options):
    norm = GroupBatchNorm2d(channels, **options)
    with torch.no_grad():
        for value in norm.parameters():
            value.uniform_(-1, 1)
        if norm.running_mean is not None:
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
    return norm
