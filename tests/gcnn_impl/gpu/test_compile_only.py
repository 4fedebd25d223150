"""What the interpreter allows the compiler may refuse: every kernel is compiled to the machine code of an H100."""

import json
import os
import subprocess
import sys
from pathlib import Path

import gcnn_impl

# Bytes a thread may keep on its stack, in memory, because they did not fit into its registers.
MOST_SPILLED = 64
WITHOUT_ATOMICS = {"depthwise_kernels.convolve", "depthwise_kernels.backward", "depthwise_kernels.add_partial"}
WITHOUT_ATOMICS |= {f"norm_kernels.{name}" for name in ("statistics", "normalise", "gradient_sums", "gradients")}


def test_every_kernel_compiles_for_an_h100_without_one() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["PYTHONPATH"] = str(Path(gcnn_impl.__file__).parents[1])
    command = [sys.executable, Path(__file__).parent / "compile_only.py", "8", "4", "3"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {kernel["kernel"] for kernel in found} == {"siren_kernels.forward", "siren_kernels.backward"} | (
        WITHOUT_ATOMICS
    )
    assert {kernel["kernel"] for kernel in found if kernel["atomic"]} == {"siren_kernels.backward"}  # its counters
    assert max(kernel["stack"] for kernel in found) <= MOST_SPILLED
