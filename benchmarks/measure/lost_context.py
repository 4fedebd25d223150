"""Whether an error has left the GPU unusable for this process.

Some errors of a kernel, such as an access outside its memory, are reported by every later call to CUDA, whoever makes
it. Only a new process can use the GPU again.
"""


def is_lost(device: str) -> bool:
    """Return whether this process can no longer compute on its device; waits for the device."""
    if device == "cpu":
        return False
    import torch  # late: importing torch takes seconds

    try:
        torch.cuda.synchronize()
    except Exception:  # the class differs between versions of torch
        return True
    return False
