import os

import pytest

IS_INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"


@pytest.fixture
def device() -> str:
    """Return the device of the operators in Triton: CUDA, or the processor for Triton's interpreter."""
    return "cpu" if IS_INTERPRETED else "cuda"


@pytest.fixture(autouse=True, scope="session")
def _interpreter_of_triton_3_6() -> None:
    """Let Triton 3.6 interpret loops with a tensor as their bound, with NumPy ≥ 2.4, as Triton 3.9 does."""
    if not IS_INTERPRETED:
        return
    from triton.runtime import interpreter

    patch = interpreter._patch_lang_tensor

    def patch_and_index(tensor, scope) -> None:
        patch(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: int(self.handle.data.squeeze()))

    interpreter._patch_lang_tensor = patch_and_index
