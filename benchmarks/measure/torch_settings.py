"""The settings of torch that a process has. To watch one more, add a line to ``TORCH_SETTINGS``."""

import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from benchmarks.measure.setting import Setting, attribute, attributes, namespace

# Functions in which convolutions, norms and their gradients end up, in whichever library.
OPERATORS = (
    *("conv2d", "conv3d", "matmul", "mm", "bmm", "einsum", "add", "mul", "sum", "relu", "sin", "batch_norm", "empty"),
    *("autocast", "inference_mode", "no_grad", "enable_grad"),
)
# Formats in which float32 is computed, by library and operator (torch ≥ 2.9).
PRECISIONS = [(library, work) for library in ("cuda", "mkldnn") for work in ("all", "matmul", "conv", "rnn")]
# So small that a processor that flushes denormal numbers takes it for zero, and the factor that would make it normal.
DENORMAL, FACTOR = 5e-324, 2.0**60


def _flushes_denormals() -> bool:
    return DENORMAL * FACTOR == 0.0


def _default_device() -> torch.device | None:
    context = getattr(torch._GLOBAL_DEVICE_CONTEXT, "device_context", None)
    return None if context is None else context.device


def _autocast() -> dict[str, Any]:
    return {name: (torch.is_autocast_enabled(name), torch.get_autocast_dtype(name)) for name in ("cpu", "cuda")}


def _put_autocast(values: Mapping[str, tuple[bool, torch.dtype]]) -> None:
    for device, (enabled, dtype) in values.items():
        torch.set_autocast_enabled(device, enabled)
        torch.set_autocast_dtype(device, dtype)


def _autocast_depth() -> int:
    torch.autocast_increment_nesting()
    return torch.autocast_decrement_nesting()


def _put_autocast_depth(depth: int) -> None:
    while _autocast_depth() > depth:
        torch.autocast_decrement_nesting()
    if depth == 0:
        torch.clear_autocast_cache()


def _deterministic() -> tuple[bool, bool]:
    return torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()


def _put_deterministic(value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


def _anomaly() -> tuple[bool, bool]:
    return torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()


def _put_anomaly(value: tuple[bool, bool]) -> None:
    torch.autograd.set_detect_anomaly(*value)


def _modes() -> tuple[int, int]:
    return torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()


def _put_modes(depths: tuple[int, int]) -> None:
    while _modes()[0] > depths[0]:
        torch._C._pop_torch_function_stack()
    while _modes()[1] > depths[1]:
        torch._C._pop_torch_dispatch_stack(None)


def _hook_tables() -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for owner in (nn.modules.module, sys.modules["torch.optim.optimizer"]):
        tables |= {name: value for name, value in vars(owner).items() if name.startswith("_global_")}
    return {name: table for name, table in tables.items() if isinstance(table, dict)}


def _hooks() -> dict[str, dict[int, Any]]:
    return {name: dict(table) for name, table in HOOK_TABLES.items()}


def _put_hooks(values: Mapping[str, dict[int, Any]]) -> None:
    for name, hooks in values.items():
        HOOK_TABLES[name].clear()
        HOOK_TABLES[name].update(hooks)


def _precision(library: str, work: str) -> Setting:
    return Setting(
        f"fp32_precision of {library} {work}",
        lambda: torch._C._get_fp32_precision_getter(library, work),
        lambda value: torch._C._set_fp32_precision_setter(library, work, value),
    )


def _cuda_place() -> tuple[int, Any] | None:
    if not torch.cuda.is_initialized():
        return None
    return torch.cuda.current_device(), torch.cuda.current_stream()


def _put_cuda_place(place: tuple[int, Any] | None) -> None:
    if place is not None:
        torch.cuda.set_device(place[0])
        torch.cuda.set_stream(place[1])


def _cuda_generator() -> bytes | None:
    return torch.cuda.get_rng_state().numpy().tobytes() if torch.cuda.is_initialized() else None


def _put_cuda_generator(state: bytes | None) -> None:
    if state is not None:
        torch.cuda.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))


def _generator() -> bytes:
    return torch.get_rng_state().numpy().tobytes()


def _put_generator(state: bytes) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))


HOOK_TABLES = _hook_tables()
BACKENDS = torch.backends
TORCH_SETTINGS = (
    Setting("torch.get_num_threads()", torch.get_num_threads, torch.set_num_threads),
    Setting("torch.get_num_interop_threads()", torch.get_num_interop_threads),
    Setting("torch.get_default_dtype()", torch.get_default_dtype, torch.set_default_dtype),
    Setting("torch's default device", _default_device, torch.set_default_device),
    Setting("the numbers of torch's function modes and dispatch modes", _modes, _put_modes),
    Setting("autocast", _autocast, _put_autocast),
    Setting("torch.is_autocast_cache_enabled()", torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled),
    Setting("the depth of autocast", _autocast_depth, _put_autocast_depth),
    Setting("torch.is_inference_mode_enabled()", torch.is_inference_mode_enabled),
    Setting("torch.is_grad_enabled()", torch.is_grad_enabled, torch._C._set_grad_enabled),
    Setting("whether denormal numbers are flushed", _flushes_denormals, torch.set_flush_denormal),
    Setting("torch's deterministic mode (and warn_only)", _deterministic, _put_deterministic),
    attribute(torch.utils.deterministic, "fill_uninitialized_memory", "fill_uninitialized_memory"),
    Setting("autograd's anomaly mode (and check_nan)", _anomaly, _put_anomaly),
    Setting("autograd's multithreading", torch._C._is_multithreading_enabled, torch._C._set_multithreading_enabled),
    Setting("autograd's profiler", torch._C._autograd._profiler_enabled),
    Setting("autograd's hooks for saved tensors", lambda: torch._C._autograd._top_saved_tensors_default_hooks(True)),
    Setting("torch's global hooks", _hooks, _put_hooks),
    Setting(
        "torch.get_float32_matmul_precision()", torch.get_float32_matmul_precision, torch.set_float32_matmul_precision
    ),
    *(_precision(library, work) for library, work in PRECISIONS),
    attribute(BACKENDS.cuda.matmul, "allow_tf32", "torch.backends.cuda.matmul.allow_tf32"),
    attribute(BACKENDS.cudnn, "allow_tf32", "torch.backends.cudnn.allow_tf32"),
    attribute(BACKENDS.cudnn, "enabled", "torch.backends.cudnn.enabled"),
    attribute(BACKENDS.cudnn, "benchmark", "torch.backends.cudnn.benchmark"),
    attribute(BACKENDS.cudnn, "benchmark_limit", "torch.backends.cudnn.benchmark_limit"),
    attribute(BACKENDS.cudnn, "deterministic", "torch.backends.cudnn.deterministic"),
    Setting("torch.backends.mkldnn.enabled", torch._C._get_mkldnn_enabled, torch._C._set_mkldnn_enabled),
    Setting(
        "torch.backends.mkldnn.deterministic",
        torch._C._get_mkldnn_deterministic,
        torch._C._set_mkldnn_deterministic,
    ),
    Setting("torch.backends.nnpack", torch._C._get_nnpack_enabled, torch._C._set_nnpack_enabled),
    attribute(BACKENDS.opt_einsum, "enabled", "torch.backends.opt_einsum.enabled"),
    attribute(BACKENDS.opt_einsum, "strategy", "torch.backends.opt_einsum.strategy"),
    attribute(BACKENDS.quantized, "engine", "torch.backends.quantized.engine"),
    attributes(torch, OPERATORS, "the module torch"),
    namespace(nn.functional, "the module torch.nn.functional"),
    namespace(torch.Tensor, "the class torch.Tensor"),
    namespace(nn.Module, "the class torch.nn.Module", compiler=True),
    namespace(nn.Conv2d, "the class torch.nn.Conv2d"),
    attributes(torch.cuda, ("synchronize", "Event", "current_stream"), "the module torch.cuda"),
    Setting("the device and the stream of torch.cuda", _cuda_place, _put_cuda_place),
    # Draws change the state of a generator; only a new seed changes the seed.
    Setting("torch.initial_seed()", torch.initial_seed, torch.default_generator.manual_seed),
    Setting("torch.get_rng_state()", _generator, _put_generator, ordinary=True),
    Setting("torch.cuda.get_rng_state()", _cuda_generator, _put_cuda_generator, ordinary=True),
)
