"""The tests' environment: without a GPU, Triton interprets its kernels on the processor."""

import os

import torch

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"  # before anything imports triton
