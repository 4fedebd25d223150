"""The settings of Python and of the system that a process has. To watch one more, add a line to ``PYTHON_SETTINGS``."""

# The functions of ``signal`` make an enumeration of every number, which takes ten times as long as those of _signal.
import _signal  # type: ignore[import-not-found]
import _thread
import contextlib
import gc
import os
import random
import resource
import signal
import sys
import threading
import time
import timeit
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.measure.setting import Setting, attribute, namespace

SIGNALS = sorted(signal.valid_signals())
RESOURCES = {name: getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
# Variables that torch and Triton set themselves when they compile or profile, whoever makes them do so.
SET_BY_TORCH = (
    *(b"TORCHINDUCTOR_CACHE_DIR", b"TRITON_CACHE_DIR", b"TRITON_PTXAS_PATH", b"TRITON_LIBDEVICE_PATH"),
    *(b"DISABLE_CUPTI_LAZY_REINIT", b"TEARDOWN_CUPTI", b"CUDA_MODULE_LOADING", b"KMP_DUPLICATE_LIB_OK"),
    b"_TORCHINDUCTOR_PYOBJECT_TENSOR_DATA_PTR",
)
# The children of a thread, on Linux.
CHILDREN = "/proc/thread-self/children"
# Processes that the benchmark itself starts next to contenders.
EXPECTED_CHILDREN: set[int] = set()


def _environment() -> dict[bytes, bytes]:
    values: dict[bytes, bytes] = dict(os.environ._data)  # type: ignore[attr-defined]  # without decoding: faster
    for name in SET_BY_TORCH:
        values.pop(name, None)
    return values


def _put_environment(values: Mapping[bytes, bytes]) -> None:
    for name in _environment().keys() - values.keys():
        del os.environ[os.fsdecode(name)]
    os.environ.update({os.fsdecode(name): os.fsdecode(value) for name, value in values.items()})


def _signal_handlers() -> dict[str, Any]:
    return {str(number): _signal.getsignal(number) for number in SIGNALS}


def _put_signal_handlers(handlers: Mapping[str, Any]) -> None:
    for number, handler in handlers.items():
        if handler is not None and _signal.getsignal(int(number)) != handler:  # None: installed by code in C
            signal.signal(int(number), handler)


def _blocked_signals() -> frozenset[int]:
    return frozenset(_signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def _put_blocked_signals(numbers: frozenset[int]) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, numbers)


def _timers() -> tuple[bool, ...]:
    return tuple(_signal.getitimer(timer) != (0.0, 0.0) for timer in TIMERS)


def _put_timers(running: tuple[bool, ...]) -> None:
    for timer, runs in zip(TIMERS, running, strict=True):
        if not runs:
            signal.setitimer(timer, 0.0)


def _file_mask() -> int:
    mask = os.umask(0o077)  # it can only be read by changing it
    os.umask(mask)
    return mask


def _limits() -> dict[str, tuple[int, int]]:
    return {name: resource.getrlimit(number) for name, number in RESOURCES.items()}


def _put_limits(limits: Mapping[str, tuple[int, int]]) -> None:
    for name, limit in limits.items():
        resource.setrlimit(RESOURCES[name], limit)


def _children() -> frozenset[int]:
    try:
        descriptor = os.open(CHILDREN, os.O_RDONLY)
    except OSError:  # not Linux, or a kernel without this file
        return frozenset()
    try:
        return frozenset(map(int, os.read(descriptor, 65536).split())) - EXPECTED_CHILDREN
    finally:
        os.close(descriptor)


def _end_children(known: frozenset[int]) -> None:
    for child in _children() - known:
        with contextlib.suppress(OSError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _put_warnings(filters: tuple[Any, ...]) -> None:
    warnings.filters[:] = filters  # type: ignore[index]
    getattr(warnings, "_filters_mutated", lambda: None)()


def _numpy_generator() -> tuple[Any, ...]:
    state: dict[str, Any] = np.random.get_state(legacy=False)  # noqa: NPY002
    inner = state["state"]
    return inner["key"].tobytes(), inner["pos"], state["has_gauss"], state["gauss"]


def _put_numpy_generator(values: tuple[Any, ...]) -> None:
    np.random.set_state(("MT19937", np.frombuffer(values[0], dtype=np.uint32), *values[1:]))  # noqa: NPY002


def _only_on(name: str, module: Any, setting: Setting) -> tuple[Setting, ...]:
    """Return the setting where the system has the function of this name; nothing elsewhere."""
    return (setting,) if hasattr(module, name) else ()


PYTHON_SETTINGS = (
    # Tracing and profiling come first, because they slow down what follows.
    Setting("sys.gettrace()", sys.gettrace, sys.settrace),
    Setting("sys.getprofile()", sys.getprofile, sys.setprofile),
    namespace(time, "the module time"),
    attribute(timeit, "default_timer", "timeit.default_timer"),
    Setting("os.environ", _environment, _put_environment, imports=True),
    Setting("the signal handlers", _signal_handlers, _put_signal_handlers),
    Setting("the blocked signals", _blocked_signals, _put_blocked_signals),
    Setting("the running interval timers", _timers, _put_timers),
    Setting("the working directory", os.getcwd, os.chdir),
    Setting("the umask", _file_mask, os.umask),
    Setting("the resource limits", _limits, _put_limits),
    *_only_on(
        "sched_getaffinity",
        os,
        Setting(
            "os.sched_getaffinity()", lambda: os.sched_getaffinity(0), lambda cores: os.sched_setaffinity(0, cores)
        ),
    ),
    Setting(
        "the nice value",
        lambda: os.getpriority(os.PRIO_PROCESS, 0),
        lambda value: os.setpriority(os.PRIO_PROCESS, 0, value),
    ),
    *_only_on("sched_getscheduler", os, Setting("os.sched_getscheduler()", lambda: os.sched_getscheduler(0))),
    Setting("gc.isenabled()", gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    Setting("gc.get_threshold()", gc.get_threshold, lambda values: gc.set_threshold(*values)),
    Setting("gc.get_debug()", gc.get_debug, gc.set_debug),
    Setting("gc.callbacks", lambda: tuple(gc.callbacks), lambda values: gc.callbacks.__setitem__(slice(None), values)),
    Setting("sys.getswitchinterval()", sys.getswitchinterval, sys.setswitchinterval),
    Setting("sys.getrecursionlimit()", sys.getrecursionlimit, sys.setrecursionlimit, compiler=True),
    Setting("threading.gettrace()", threading.gettrace, threading.settrace),
    Setting("threading.getprofile()", threading.getprofile, threading.setprofile),
    Setting("the number of Python's threads", _thread._count, compiler=True),
    Setting("the child processes", _children, _end_children),
    Setting("warnings.filters", lambda: tuple(warnings.filters), _put_warnings, ordinary=True),
    # Draws change the state of a generator.
    Setting("random.getstate()", random.getstate, random.setstate, ordinary=True),
    Setting("numpy.random.get_state()", _numpy_generator, _put_numpy_generator, ordinary=True),
)
