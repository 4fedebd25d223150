"""Operators in C, with gradients: optional, and PyTorch is the reference for all of them."""

from gcnn_impl.native.build import library, status, takes

__all__ = ["library", "status", "takes"]
