"""The operators in C are compiled where possible, ``status`` gives the reason elsewhere, and torch is not disturbed."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import pytest
import torch
import torch.utils.flop_counter

from gcnn_impl import SO2, SeparableGroupConv2d, native
from gcnn_impl.native import build

pytestmark = pytest.mark.skipif(
    native.status() != "in use" and (os.environ.get("CI") is None or os.environ.get(build.VARIABLE) == "0"),
    reason=f"native is {native.status()}",
)


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """Unload the operators, and return an empty folder in which they will be cached."""
    monkeypatch.setattr(build, "_loaded", None)
    monkeypatch.setenv(build.FLAGS_VARIABLE, "-O0")  # compiled in a fraction of the time
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv("CC", raising=False)
    return tmp_path


def compiled(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def small_pass(times=1):
    layer, x = SeparableGroupConv2d(2, 2, 5, SO2(4), padding=2), torch.randn(1, 2, 4, 9, 9)
    for _ in range(times):
        layer(x).sum().backward()


def test_operators_are_compiled_once_and_kept(fresh, monkeypatch):
    assert native.status() == "in use"
    (kept,) = compiled(fresh)
    assert kept.parent == fresh / "cache" / "gcnn_impl"
    written = kept.stat().st_mtime_ns
    monkeypatch.setattr(build, "_loaded", None)
    assert native.status() == "in use"
    assert [path.stat().st_mtime_ns for path in compiled(fresh)] == [written]


def test_another_source_or_compiler_is_compiled_anew(fresh, monkeypatch):
    compiler, openmp = build._compiler(), build._openmp_of_torch()
    names = {
        build.library_name(compiler, openmp),
        build.library_name([*compiler, "-g"], openmp),
        build.library_name(compiler, "/other"),
    }
    for file in build.SOURCES.iterdir():
        if file.is_file():
            (fresh / file.name).write_bytes(file.read_bytes())
    (fresh / "vector.h").write_text("/* changed */")
    monkeypatch.setattr(build, "SOURCES", fresh)
    assert len(names | {build.library_name(compiler, openmp)}) == 4


def test_a_variable_turns_the_operators_off(fresh, monkeypatch):
    monkeypatch.setenv(build.VARIABLE, "0")
    assert native.status() == f"not in use: {build.VARIABLE}=0"
    assert native.library() is None
    assert not native.takes(torch.ones(1))
    small_pass()
    assert compiled(fresh) == []


def test_without_a_compiler_pytorch_is_used_without_a_warning(fresh, monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    small_pass()  # a warning would be an error here
    assert native.status() == "not in use: there is no C compiler 'no-such-compiler'"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[ $1 = --version ] || { echo siren.c:1: error: no >&2; exit 1; }", "siren.c:1: error: no"),
        ("exit 3", "exit status 3"),
        ("[ $1 = --version ] || { for file; do :; done; touch $file; }", "OSError"),
    ],
    ids=["does not compile", "does not run", "compiles nonsense"],
)
def test_a_failing_compiler_warns_once_and_pytorch_is_used(fresh, monkeypatch, text, reason):
    monkeypatch.setenv("CC", script(fresh / "broken-cc", text))
    with pytest.warns(RuntimeWarning, match="goes on without its operators in C") as caught:
        small_pass(times=2)
    assert len(caught) == 1
    assert compiled(fresh / "cache") == []
    (line,) = str(caught[0].message).splitlines()
    assert reason in line
    assert native.status().startswith("not in use: ")


def test_the_operators_need_no_writable_cache(fresh, monkeypatch):
    (fresh / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(fresh / "file"))
    small_pass()
    assert native.status() == "in use"
    (kept,) = compiled(fresh / "tmp")
    assert kept.parent.name == f"gcnn_impl-{os.geteuid()}"


def test_without_any_folder_pytorch_is_used(fresh, monkeypatch):
    (fresh / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(fresh / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(fresh / "file"))
    with pytest.warns(RuntimeWarning, match="File exists"):
        small_pass(times=2)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("gcc 'x", 'CC="gcc \'x" is no command: No closing quotation'),
        ("   ", "in use"),
    ],
)
def test_a_compiler_of_many_words(fresh, monkeypatch, command, reason):
    monkeypatch.setenv("CC", command)
    small_pass()
    assert native.status().removeprefix("not in use: ") == reason


def test_a_compiler_may_print_any_bytes(fresh, monkeypatch):
    monkeypatch.setenv("CC", script(fresh / "loud-cc", r'''printf '\377\376' >&2; printf '\377'; exec cc "$@"'''))
    small_pass()
    assert native.status() == "in use"


def test_a_compiler_that_hangs_is_waited_for_once(fresh, monkeypatch):
    monkeypatch.setattr(build, "VERSION_SECONDS", 0.5)
    monkeypatch.setenv("CC", script(fresh / "slow-cc", f"echo >> {fresh}/started; sleep 1000"))
    said = f"{fresh}/slow-cc did not finish within 0.5 s"
    small_pass()
    assert native.status() == f"not in use: {said}"
    monkeypatch.setattr(build, "_loaded", None)  # as in the next process
    (note,) = compiled(fresh / "cache")
    assert native.status() == f"not in use: {said}; remove {note} to try again"
    assert (fresh / "started").read_text() == "\n"
    monkeypatch.setattr(build, "_loaded", None)
    os.utime(note, (0, 0))  # the note is too old
    assert native.status() == f"not in use: {said}"
    assert (fresh / "started").read_text() == "\n\n"


def test_a_program_that_hangs_dies_with_all_that_it_started(tmp_path):
    command = script(tmp_path / "cc", f"sleep 1000 & echo $! > {tmp_path}/child; wait")
    with pytest.raises(subprocess.TimeoutExpired):
        build._run([command], 0.5)
    stat, end = Path(f"/proc/{int((tmp_path / 'child').read_text())}/stat"), time.monotonic() + 30

    def lives():
        return stat.exists() and stat.read_text().split()[2] != "Z"  # a zombie waits for its reaper

    while lives() and time.monotonic() < end:  # on a busy machine a killed process waits for a core to die on
        time.sleep(0.01)
    assert not lives()


def test_a_server_that_a_compiler_leaves_behind_is_not_waited_for(tmp_path):
    script = f"sleep 60 & echo $! > {tmp_path / 'child'}; echo done"
    try:
        assert build._run(["/bin/sh", "-c", script], 20) == "done\n"
    finally:
        os.kill(int((tmp_path / "child").read_text()), signal.SIGKILL)


def test_two_processes_may_compile_at_once(tmp_path):
    code = "from gcnn_impl import native; print(native.status())"
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    root = Path(native.__file__).parents[2]
    processes = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=root, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.communicate(timeout=120)[0].strip() for process in processes] == ["in use"] * 2
    (kept,) = compiled(tmp_path)
    assert kept.suffix == ".so"


def test_there_is_one_openmp_runtime_in_the_process():
    small_pass()
    root = Path(torch.__file__).parents[1]
    of_torch = [root / name for name in ("torch", "torch.libs")]
    ours = {path for path in build._openmp_runtimes() if any(map(Path(path).is_relative_to, of_torch))}
    assert ours == {build._openmp_of_torch()}
    assert "/native" in build._MAPS.read_text()


class TestTakes:
    def test_only_plain_tensors_in_single_precision_on_the_processor(self):
        x = torch.ones(2)
        assert native.takes(x, torch.nn.Parameter(x), None)
        assert not native.takes(x, x.double())
        assert not native.takes(x.to("meta"))
        assert not native.takes(x.to_sparse())
        assert not native.takes(torch.ones(0))
        assert not native.takes(torch.complex(x, x).conj().imag)

    def test_no_tensor_while_anything_traces_or_transforms(self):
        seen = []

        def look(x):
            seen.append(native.takes(x))
            return 2 * x

        x = torch.ones(2)
        torch.func.vmap(look)(x)
        torch.func.grad(lambda x: look(x).sum())(x)
        torch.func.jvp(look, (x,), (x,))
        with torch.autograd.forward_ad.dual_level():
            look(torch.autograd.forward_ad.make_dual(x, x))
        with torch.autocast("cpu", torch.bfloat16):
            look(x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit.trace is deprecated
            torch.jit.trace(look, (x,), check_trace=False)
        with torch._subclasses.FakeTensorMode() as mode:
            look(mode.from_tensor(x))
        assert seen == [False] * 7


def test_a_profiler_and_a_dispatch_mode_see_the_operators():
    with torch.profiler.profile(acc_events=True) as profiler:  # torch 2.11 warns without it
        small_pass()
    names = [event.key for event in profiler.key_averages()]
    operators = {"depthwise_conv2d", "depthwise_conv2d_weight", "siren", "siren_backward", "to_images"}
    assert {f"gcnn_impl::{name}" for name in operators} <= set(names)

    class Names(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            names.append(func.name())
            return func(*args, **(kwargs or {}))

    names = []
    with Names():
        small_pass()
    assert names.count("gcnn_impl::depthwise_conv2d") == 2
    assert names.count("gcnn_impl::depthwise_conv2d_weight") == 1


def test_flops_are_counted_by_the_operators_that_torch_knows():
    layer, x = SeparableGroupConv2d(2, 2, 3, SO2(4), padding=1), torch.randn(1, 2, 4, 9, 9)
    counts = {}
    for layer.algorithm in ("auto", "direct"):
        with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
            layer(x).sum().backward()
        counts[layer.algorithm] = counter.get_flop_counts()["Global"]
    assert counts["auto"] == counts["direct"]


@pytest.mark.parametrize("algorithm", ["direct", "disc"])
def test_an_algorithm_by_name_is_pytorch_alone(algorithm, monkeypatch):
    monkeypatch.setattr(build, "_load", lambda: pytest.fail("the operators were looked for"))
    layer = SeparableGroupConv2d(2, 2, 5, SO2(4), padding=2, algorithm=algorithm)
    layer(torch.randn(1, 2, 4, 9, 9)).sum().backward()
