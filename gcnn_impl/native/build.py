"""Compiling and loading the operators in C, for float32 on the processor.

The machine's own C compiler compiles the operators when they are first needed, in a second or two, into
``$XDG_CACHE_HOME/gcnn_impl`` (``~/.cache/gcnn_impl``, see ``cache``). Where they cannot be compiled or loaded, PyTorch
replaces them; ``status`` says whether they are in use, and why not. ``GCNN_IMPL_NATIVE=0`` turns them off for a
process, ``algorithm="disc"`` for a layer.

A process may contain only one OpenMP runtime; otherwise two pools of threads compete for the cores. The operators are
therefore linked to the runtime that torch has loaded, and run on at most ``torch.get_num_threads()`` threads.
"""

import contextlib
import ctypes
import hashlib
import os
import platform
import re
import shlex
import shutil
import signal
import subprocess
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor, nn

from gcnn_impl.native import cache
from gcnn_impl.watching import (
    constant_in_compiled_code,
    is_counted,
    is_exporting,
    is_fake,
    is_traced_or_transformed,
)

VARIABLE = "GCNN_IMPL_NATIVE"
# More flags for the compiler, such as those of a sanitizer.
FLAGS_VARIABLE = "GCNN_IMPL_NATIVE_FLAGS"
SOURCES = Path(__file__).parent
# Without errno a square root is one instruction. -ffast-math is left out: it would change how torch computes.
FLAGS = ("-O3", "-fPIC", "-fopenmp", "-fno-math-errno", "-w")
COMPILE_SECONDS, VERSION_SECONDS = 120, 30
# A compiler that hung is not tried again for a day.
HUNG_SECONDS = 86400

_MAPS, _CPU_INFO = Path("/proc/self/maps"), Path("/proc/cpuinfo")
_POINTER, _LONG, _INT = ctypes.c_void_p, ctypes.c_long, ctypes.c_int
_SIGNATURES = {
    "gcnn_depthwise_memory": [*[_LONG] * 7, _POINTER],
    "gcnn_depthwise": [*[_POINTER] * 6, *[_LONG] * 7, *[_INT] * 3, _LONG],
    "gcnn_depthwise_weight": [*[_POINTER] * 6, *[_LONG] * 6, _INT, _LONG],
    "gcnn_batch_norm": [*[_POINTER] * 11, _INT, *[ctypes.c_double] * 2, _INT, *[_LONG] * 3],
    "gcnn_batch_norm_backward": [*[_POINTER] * 13, _INT, _INT, *[_LONG] * 3],
    "gcnn_norm_memory": [*[_LONG] * 3, _POINTER],
    "gcnn_norm_pool": [*[_POINTER] * 10, _INT, *[ctypes.c_double] * 2, _INT, *[_LONG] * 6],
    "gcnn_norm_pool_backward": [*[_POINTER] * 11, _INT, _INT, *[_LONG] * 6],
    "gcnn_pool_memory": [*[_LONG] * 5, _POINTER],
    "gcnn_fourier_memory": [*[_LONG] * 6, _POINTER],
    "gcnn_fourier": [*[_POINTER] * 8, *[_LONG] * 7],
    "gcnn_fourier_back": [*[_POINTER] * 9, *[_LONG] * 7],
    "gcnn_fourier_product_memory": [*[_LONG] * 5, _POINTER],
    "gcnn_fourier_product": [*[_POINTER] * 7, *[_LONG] * 5, _INT, _LONG],
    "gcnn_fourier_weight_memory": [*[_LONG] * 6, _POINTER],
    "gcnn_fourier_weight": [*[_POINTER] * 8, *[_LONG] * 6],
    "gcnn_irreps_memory": [*[_LONG] * 6, _POINTER],
    "gcnn_irreps_mix": [*[_POINTER] * 5, _LONG, *[_POINTER] * 2, *[_LONG] * 5],
    "gcnn_irreps_mix_backward": [*[_POINTER] * 6, _LONG, *[_POINTER] * 4, *[_LONG] * 6],
    "gcnn_layout": [*[_POINTER] * 2, *[_LONG] * 4, _INT, _LONG],
    "gcnn_mix_memory": [*[_LONG] * 4, _POINTER],
    "gcnn_mix": [*[_POINTER] * 4, *[_LONG] * 4],
    "gcnn_mix_backward": [*[_POINTER] * 6, *[_LONG] * 4],
    "gcnn_siren_memory": [*[_LONG] * 6, _POINTER],
    "gcnn_siren": [*[_POINTER] * 12, ctypes.c_float, *[_LONG] * 8],
    "gcnn_siren_backward": [*[_POINTER] * 13, ctypes.c_float, *[_LONG] * 8],
    "gcnn_sine_cosine": [*[_POINTER] * 3, _LONG],
}
# Functions that return whether their arguments were valid.
_CHECKING = ("gcnn_siren", "gcnn_siren_backward")
_lock = threading.Lock()


class Unavailable(Exception):  # noqa: N818
    """The operators are not in use for a reason other than a failure."""


def status() -> str:
    """Return whether the operators are in use, in one line: "in use", or "not in use: " and the reason."""
    found = _load()
    return f"not in use: {found}" if isinstance(found, str) else "in use"


def library() -> ctypes.CDLL | None:
    """Return the loaded operators, compiled if necessary; None where they are not in use."""
    found = _load()
    return None if isinstance(found, str) else found


def takes(*tensors: Tensor | None) -> bool:
    """Return whether the operators may be called with these tensors.

    The tensors must be float32 on the CPU. Compiled code contains the operators as calls. Exporters, ``torch.func``,
    autocast, forward-mode gradients and counters of FLOPs take PyTorch's operators instead.
    """
    is_compiled = torch.compiler.is_compiling()  # the compiler cannot trace all conditions
    for t in tensors:
        if t is not None and not (
            type(t) in (Tensor, nn.Parameter)
            and t.dtype is torch.float32
            and t.is_cpu
            and (is_compiled or torch._C._has_storage(t))
            and t.numel()
            and (is_compiled or not t.is_neg())
        ):
            return False
    if torch.is_autocast_enabled("cpu"):
        return False
    if is_compiled:
        return not is_exporting() and _are_plain_calls()
    return not is_counted() and not is_fake() and _are_plain_calls()


@constant_in_compiled_code
def _are_plain_calls() -> bool:
    return not is_traced_or_transformed() and library() is not None


_loaded: ctypes.CDLL | str | None = None


def _load() -> ctypes.CDLL | str:
    """Return the operators, or the reason why they are not in use."""
    global _loaded
    if _loaded is None:
        with _lock:
            _loaded = _loaded or _compile_or_reason()
    return _loaded


def _compile_or_reason() -> ctypes.CDLL | str:
    try:
        return _compile_and_load()
    except Unavailable as reason:
        return str(reason)
    except Exception as error:  # whatever is wrong with a compiler or a folder, PyTorch can do the work
        found = " ".join(_message(error).split())
        warnings.warn(f"gcnn_impl goes on without its operators in C: {found}", RuntimeWarning, stacklevel=4)
        return found


def _message(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in error.stderr.splitlines() if "error" in line] or error.stderr.splitlines()[-1:]
        return f"{shlex.join(error.cmd[:1])} failed: {lines[0] if lines else f'exit status {error.returncode}'}"
    return f"{type(error).__name__}: {error}"


def _compile_and_load() -> ctypes.CDLL:
    """Return the operators, from a cache or newly compiled.

    Raises:
        Unavailable: where the operators are turned off, or this machine lacks something that they need.
        OSError, subprocess.SubprocessError, AttributeError: where compiling or loading fails.
    """
    if os.environ.get(VARIABLE) == "0":
        raise Unavailable(f"{VARIABLE}=0")
    if platform.system() != "Linux" or not _MAPS.exists():
        raise Unavailable("they need Linux")
    compiler = _compiler()
    note = f"hung-{digest(*compiler, *_stamp(compiler[0]))}"
    for folder in cache.folders():
        if said := cache.remembered(folder / note, HUNG_SECONDS):
            raise Unavailable(said)
    try:
        found = _from_caches(compiler)
    except subprocess.TimeoutExpired as error:
        raise Unavailable(_remember(note, error)) from error
    for name, arguments in _SIGNATURES.items():
        function = getattr(found, name)
        function.argtypes, function.restype = arguments, _INT if name in _CHECKING else None
    return found


def _from_caches(compiler: Sequence[str]) -> ctypes.CDLL:
    """Load the operators from the first folder that allows it; compile them there where it does not have them."""
    openmp, runtimes = _openmp_of_torch(), _openmp_runtimes()
    name = library_name(compiler, openmp)
    failure: Exception = OSError("no folder can hold compiled code")
    for folder in cache.folders():
        try:
            cache.make_private(folder)
            found = cache.load(folder / name) or _compile(compiler, openmp, folder / name)
        except (OSError, subprocess.CalledProcessError) as error:  # full, read-only, noexec, or somebody else's
            failure = error
            continue
        if _openmp_runtimes() != runtimes:
            raise OSError(f"a second OpenMP runtime was loaded in addition to {openmp}")
        return found
    raise failure


def _compiler() -> list[str]:
    """Return the command of the C compiler, ``$CC`` or ``cc``."""
    command = _words("CC") or ["cc"]
    path = shutil.which(command[0])
    if path is None:
        raise Unavailable(f"there is no C compiler {command[0]!r}")
    return [path, *command[1:]]


def _words(variable: str) -> list[str]:
    """Return the words of a variable of the environment, split as a shell does."""
    try:
        return shlex.split(os.environ.get(variable, ""))
    except ValueError as error:
        raise Unavailable(f"{variable}={os.environ[variable]!r} is no command: {error}") from error


def _stamp(path: str) -> tuple[str, str]:
    """Return what changes when a program is installed anew."""
    found = Path(path).stat()
    return str(found.st_mtime_ns), str(found.st_size)


def _remember(note: str, error: subprocess.TimeoutExpired) -> str:
    """Write down that the compiler hung, so that the next processes do not wait for it; return the sentence."""
    said = f"{error.cmd[0]} did not finish within {error.timeout:g} s"
    for folder in cache.folders():
        with contextlib.suppress(OSError):
            cache.make_private(folder)
            (folder / note).write_text(f"{said}; remove {folder / note} to try again")
            break
    return said


def _openmp_runtimes() -> set[str]:
    """Return the paths of the OpenMP runtimes that this process has loaded."""
    paths = {line.split(maxsplit=5)[5] for line in _MAPS.read_text(errors="replace").splitlines() if ".so" in line}
    return {path for path in paths if re.fullmatch(r"lib(g|i|)omp\d?\b.*\.so[.\d]*", Path(path).name)}


def _openmp_of_torch() -> str:
    """Return the path of torch's own runtime: the one in torch's folders, or the only loaded one."""
    runtimes = _openmp_runtimes()
    root = Path(torch.__file__).parent
    own = [path for path in runtimes if Path(path).is_relative_to(root) or root.name + ".libs" in Path(path).parts]
    if len(own or runtimes) != 1:
        raise Unavailable(f"torch's OpenMP runtime cannot be told among: {', '.join(sorted(runtimes)) or 'none'}")
    return next(iter(own or runtimes))


def library_name(compiler: Sequence[str], openmp: str) -> str:
    """Return the name of the compiled operators: a hash of sources, compiler, processor and OpenMP runtime."""
    version = _run([*compiler, "--version"], VERSION_SECONDS)
    sources = [path.read_text(encoding="utf-8") for path in (*_sources(), *sorted(SOURCES.glob("*.h")))]
    flags = *FLAGS, *_words(FLAGS_VARIABLE)
    return f"native-{digest(*sources, version, *compiler, *flags, *processor(), openmp)}.so"


def processor() -> list[str]:
    """Return what tells processors apart: names, instructions and architecture."""
    lines = _CPU_INFO.read_text(errors="replace").splitlines() if _CPU_INFO.exists() else []
    facts = {line for line in lines if line.lower().startswith(("model name", "flags", "features"))}
    return [*sorted(facts), platform.machine()]


def digest(*parts: str) -> str:
    """Return a short hash of texts, for the name of a file that depends on them."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:20]


def _sources() -> list[Path]:
    return sorted(SOURCES.glob("*.c"))


def _compile(compiler: Sequence[str], openmp: str, target: Path) -> ctypes.CDLL:
    """Compile in the folder of ``target``, store the library there, and load it."""
    more = _words(FLAGS_VARIABLE)
    tune = "-march=native" if platform.machine() in ("x86_64", "i686", "AMD64") else "-mcpu=native"
    with cache.work_folder(target.parent) as folder:
        linked = folder / "native.so"
        # There are two steps, because -fopenmp in the second would link a runtime of the compiler's choice.
        for arguments in (
            [*FLAGS, tune, *more, "-c", *map(str, _sources())],
            [
                *more,
                "-shared",
                *(f"{source.stem}.o" for source in _sources()),
                openmp,
                "-lm",
                "-Wl,-z,defs",
                "-o",
                str(linked),
            ],
        ):
            _run([*compiler, *arguments], COMPILE_SECONDS, folder)
        cache.store(target, linked.read_bytes())
    try:
        found = cache.load(target)
        if found is None:
            raise OSError(f"{target} does not hold what was written")
    except OSError:
        target.unlink(missing_ok=True)  # other processes need not find what cannot be loaded
        raise
    return found


def _run(command: Sequence[str], seconds: float, folder: Path | None = None) -> str:
    """Run a command without input, and return what it prints.

    The command has ended when its first process has: a server that it started, as compiler caches do, goes on.

    Raises:
        OSError: where it cannot start.
        subprocess.CalledProcessError, subprocess.TimeoutExpired: where it fails, or runs longer than ``seconds``; its
            whole process group is then killed, because a compiler runs other programs.
    """
    with _output() as printed, _output() as complaints:
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": printed, "stderr": complaints}
        with subprocess.Popen(command, cwd=folder, start_new_session=True, **pipes) as process:
            try:
                process.wait(timeout=seconds)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        texts = [_content(output) for output in (printed, complaints)]
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, *texts)
    return texts[0]


def _output() -> IO[bytes]:
    """Return a file in memory. A pipe would stay open as long as any process that the command started."""
    return os.fdopen(os.memfd_create("gcnn_impl"), "w+b")


def _content(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode(errors="replace")
