import os

import pytest


@pytest.fixture
def device() -> str:
    """Return the device of the operators in Triton: CUDA, or the processor for Triton's interpreter."""
    return "cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda"
