"""Whether torch traces, transforms or counts what runs now; our own operators must then leave the work to torch's."""

import torch
from torch.autograd import forward_ad
from torch.utils import _python_dispatch


def is_traced_or_transformed() -> bool:
    """Return whether ``torch.jit`` traces, ``torch.func`` transforms, or forward-mode gradients are computed."""
    return torch._C._is_tracing() or torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0


def is_counted() -> bool:
    """Return whether torch is counting FLOPs; it can count only those of its own operators."""
    if not torch._C._len_torch_dispatch_stack():
        return False
    modes = _python_dispatch._get_current_dispatch_mode_stack()
    return any(type(mode).__module__ == "torch.utils.flop_counter" for mode in modes)
