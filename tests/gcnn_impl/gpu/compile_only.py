"""Compile every kernel that a layer and its batch norm launch, for a GPU that need not be there.

``python tests/gcnn_impl/gpu/compile_only.py C |H| k`` prints a line of JSON for each kernel: registers a thread, bytes
that they spill to the stack, and whether there are atomic operations. The operators run on the processor, but a launch
compiles its kernel for the given arguments instead of running it, so that no output is ever written.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.jit import JITFunction

from gcnn_impl import SO2, GroupConv2d, SeparableGroupConv2d, gpu
from gcnn_impl.gpu import switch
from gcnn_impl.layers import GroupBatchNorm2d

H100 = GPUTarget("cuda", 90, 32)
TYPES = {torch.float32: "*fp32", torch.int64: "*i64", torch.int32: "*i32"}
OPTIONS = ("num_warps", "num_stages", "enable_fp_fusion")
DISASSEMBLER = next(Path(triton.__file__).parent.glob("backends/nvidia/bin/cuobjdump"))

_printed: set[str] = set()


def type_of(value: object) -> str:
    if isinstance(value, torch.Tensor):
        return TYPES[value.dtype]
    return "fp32" if isinstance(value, float) else "i32"


def compile_only(kernel: Any, *arguments: object, grid: object, warmup: bool, **options: object) -> None:
    """Compile a kernel as ``kernel[grid](*arguments, **options)`` would."""
    chosen = {name: options.pop(name) for name in OPTIONS if name in options}
    given = dict(zip(kernel.arg_names, arguments, strict=False)) | options
    constants = {p.name: given[p.name] for p in kernel.params if p.is_constexpr or given[p.name] is None}
    signature = {name: "constexpr" if name in constants else type_of(given[name]) for name in kernel.arg_names}
    source = ASTSource(kernel, signature, {(kernel.arg_names.index(name),): v for name, v in constants.items()})
    name = f"{kernel.fn.__module__.rpartition('.')[2]}.{kernel.fn.__name__}"
    if (key := f"{name} {signature} {constants}") in _printed:
        return
    _printed.add(key)
    made = triton.compile(source, target=H100, options=chosen)
    print(json.dumps({"kernel": name, **resources(made.asm["cubin"]), "atomic": "atom" in made.asm["ptx"]}), flush=True)


def resources(cubin: bytes) -> dict[str, int]:
    """Return the registers of a thread, and the bytes of its stack, which holds what did not fit into them."""
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(cubin)
        file.flush()
        command = [DISASSEMBLER, "--dump-resource-usage", file.name]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {name.lower(): int(value) for name, value in re.findall(r"(REG|STACK):(\d+)", printed)}


def main(channels: int, resolution: int, size: int) -> None:
    os.environ["GCNN_IMPL_NATIVE"] = "0"  # the operators in C would take tensors on the processor
    JITFunction.run = compile_only
    switch.DEVICES = ("cuda", "cpu")
    group = SO2(resolution)
    x = torch.randn(2, channels, resolution, 12, 12, requires_grad=True)
    with gpu.turned(True):
        for convolution in (SeparableGroupConv2d, GroupConv2d):
            convolution(channels, channels, size, group, padding=size // 2)(x).sum().backward()
        GroupBatchNorm2d(channels)(x, relu=True, residual=x).sum().backward()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
