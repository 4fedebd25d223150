"""Tests of pairs of processes that take turns, on real processes with tiny layers and on made-up passes."""

import itertools
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.cases.case import Case
from benchmarks.comparing.commits import workplace
from benchmarks.comparing.pairs import FEWEST_TURNS, SIDES, log_ratio, measure_pair, undisturbed
from benchmarks.comparing.passes import Enter, Pass, Turn
from benchmarks.comparing.server import Server
from benchmarks.records.provenance import ROOT
from benchmarks.running.isolated import COPIED
from tests.benchmarks.misbehaving_layers import NOTES
from tests.benchmarks.running import leaving

TINY = {"channels": 2, "batch_size": 1, "image_size": 8, "kernel_size": 3, "threads": 1}
GOOD = Case(**TINY, resolution=2)
DIES, FAILS, CHANGES = (
    Case(**TINY, resolution=2, variant="custom", implementation=f"tests.benchmarks.misbehaving_layers:{name}")
    for name in ("Crashes", "RaisesAtOnce", "SetsThreadsOnSmallImages")
)


def turns(*values: float, waited: float = 0.0, others_waited: float = 0.0) -> list[list[Pass]]:
    return [[Pass(value, waited, others_waited)] for value in values]


def test_the_ratio_is_that_of_neighbouring_turns() -> None:
    drift = [1.0 + 0.1 * n for n in range(40)]
    assert log_ratio(turns(*drift), turns(*(1.1 * x for x in drift))) == pytest.approx(math.log(1.1))


def test_each_phase_counts_as_much_whatever_it_favours() -> None:
    favours = (1.05, 1 / 1.05, 1.0, 1.0)  # of B, in the four phases
    b = list(itertools.islice(itertools.cycle(favours), 40))
    assert log_ratio(turns(*[1.0] * 40), turns(*b)) == pytest.approx(0.0)


def test_what_the_main_thread_waited_for_a_core_is_subtracted() -> None:
    assert log_ratio(turns(*[1.0] * 40), turns(*[3.1] * 40, waited=2.0)) == pytest.approx(math.log(1.1))


def test_passes_whose_other_threads_waited_do_not_count_while_there_are_others() -> None:
    calm, disturbed = turns(*[1.0] * 40), turns(*[3.0] * 40, others_waited=2.0)
    mixed = [x if n % 8 < 4 else y for n, (x, y) in enumerate(zip(calm, disturbed, strict=True))]
    assert log_ratio(calm, mixed) == 0.0
    assert log_ratio(calm, disturbed) == pytest.approx(math.log(3.0))
    assert undisturbed([Pass(1.0, 0.0, 0.005), Pass(1.0, 0.0, 0.5), Pass(2.0, 0.5, 0.0)]) == [1.0, 1.5]


def test_few_turns_give_no_ratio() -> None:
    with pytest.raises(ValueError, match="^3 turns are too few; allowed: 4 or more of each side$"):
        log_ratio(turns(1, 1, 1), turns(1, 1, 1))


def test_a_pair_measures_each_case_at_both_sides_and_names_who_failed() -> None:
    with workplace(".") as place:
        taken = measure_pair(dict.fromkeys(SIDES, place), {0: GOOD, 1: FAILS}, 0, 60.0, {0, 1})
    assert set(taken[1].failures) == set(SIDES)
    assert taken[1].failures["A"].status == "failed"
    assert taken[0].failures == {}
    assert len(taken[0].turns["A"]) == len(taken[0].turns["B"]) >= FEWEST_TURNS
    assert all(one.seconds > 0 for side in SIDES for turn in taken[0].turns[side] for one in turn)
    assert abs(log_ratio(taken[0].turns["A"], taken[0].turns["B"])) < 1


def test_a_process_that_dies_fails_its_case_and_ends_the_pair() -> None:
    with workplace(".") as place:
        taken = measure_pair(dict.fromkeys(SIDES, place), {0: DIES, 1: GOOD}, 0, 60.0, ())
    assert taken[0].failures["A"].status == "killed"
    assert not taken[1].failures
    assert not taken[1].enough


def test_a_case_that_changes_its_process_ends_the_pair_with_the_reason() -> None:
    with workplace(".") as place:
        taken = measure_pair(dict.fromkeys(SIDES, place), {0: CHANGES, 1: GOOD}, 0, 60.0, ())
    assert taken[0].failures["A"] == ("interfered", "changed torch.get_num_threads() from 1 to 2", {})
    assert not taken[1].failures
    assert not taken[1].enough


def test_a_server_measures_the_package_of_its_place(tmp_path: Path) -> None:
    with workplace(".") as place, Server(place, timeout=60.0) as server:
        server.check()
        assert server.ask(Enter(0, GOOD, check=True)) is None
        assert all(one.seconds > 0 for one in server.ask(Turn(0)))
        assert server.ask(Turn(7)).status == "failed"  # nothing has entered under this number
    with (
        Server(tmp_path, timeout=60.0) as server,
        pytest.raises(RuntimeError, match="would be measured instead of"),
    ):
        server.check()


@pytest.mark.parametrize("path", ["", str(ROOT)])
def test_a_server_measures_the_package_of_its_place_under_the_installed_command_too(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # as gcnn-bench sets it
    monkeypatch.setenv("PYTHONPATH", path)
    for folder in (ROOT, tmp_path):
        monkeypatch.chdir(folder)
        with workplace("HEAD") as place, Server(place, timeout=60.0) as server:
            server.check()
            assert server.ask(Enter(0, GOOD, check=True)) is None


@pytest.mark.skipif(sys.platform != "linux", reason="the supervisor adopts orphans on Linux")
@pytest.mark.parametrize(
    ("layer", "status"), [("Forks", "interfered"), ("HoldsInterpreter", "timeout"), ("ForksAndCrashes", "killed")]
)
def test_no_process_that_a_layer_starts_outlives_the_server(
    layer: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NOTES, str(tmp_path))
    case = Case(**TINY, resolution=2, variant="custom", implementation=f"tests.benchmarks.misbehaving_layers:{layer}")
    with workplace(".") as place, Server(place, timeout=60.0) as server:
        server.check()
        server.timeout = 8.0
        answer = server.ask(Enter(0, case, check=False))
    assert answer.status == status
    assert len(leaving.numbers(tmp_path)) == 3
    assert not any(map(leaving.alive, leaving.numbers(tmp_path)))


def test_a_layer_that_forks_and_comes_back_twice_fails_and_ends_the_process() -> None:
    layer = "tests.benchmarks.misbehaving_layers:ComesBackTwice"
    case = Case(**TINY, resolution=2, variant="custom", implementation=layer)
    with workplace(".") as place, Server(place, timeout=60.0) as server:
        server.check()
        answer = server.ask(Enter(0, case, check=False)) or server.ask(Turn(0))
    # Either may answer first: the copy, or the original, which has noticed its copies.
    by_copy = (answer.status, answer.message) == ("killed", COPIED.message)
    by_original = answer.status == "interfered" and "child processes from none to" in answer.message
    assert by_copy or by_original


def test_a_process_ends_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, time\n"
        "from benchmarks.comparing.commits import workplace\n"
        "from benchmarks.comparing.server import Server\n"
        "with workplace('.') as place, Server(place, 60.0) as server:\n"
        "    server.check()\n"
        "    print(server.process.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    variables = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}/stat").exists() and time.monotonic() < deadline:
        if Path(f"/proc/{child}/stat").read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{child}/stat").exists()
