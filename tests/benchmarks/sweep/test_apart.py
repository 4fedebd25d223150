"""A contender in a process of its own takes turns as one in the shared process does, and fails for itself."""

import os
import time
from collections.abc import Callable, Iterator

import pytest

from benchmarks.measure.python_settings import EXPECTED_CHILDREN
from benchmarks.sweep.apart import Apart, ApartFailed


class Made:
    """A contender that notes in which process it runs, and that may do something in its turns."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.act, self.turns = act, 0

    def enter(self) -> None:
        self.turns = 100

    def turn(self, most: int) -> list[float]:
        self.act()
        self.turns += 1
        return [float(os.getpid()), float(self.turns), float(most)]

    def close(self) -> None:
        raise AssertionError("a process is ended, not closed")


def fail() -> None:
    raise RuntimeError("not today")


@pytest.fixture
def apart(request: pytest.FixtureRequest) -> Iterator[Apart]:
    contender = Apart(lambda: Made(request.param))
    yield contender
    process = contender.process
    contender.close()
    assert process not in EXPECTED_CHILDREN


@pytest.mark.parametrize("apart", [lambda: None], indirect=True)
def test_enters_and_takes_turns_in_a_process_of_its_own(apart: Apart) -> None:
    apart.enter()
    assert apart.turn(3) == [apart.process, 101, 3]
    assert apart.turn(7) == [apart.process, 102, 7]
    assert apart.process != os.getpid()
    process = apart.process
    apart.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    apart.close()  # again, without effect


@pytest.mark.parametrize("apart", [fail], indirect=True)
def test_an_error_comes_back_as_its_outcome_and_the_process_stays(apart: Apart) -> None:
    for _ in range(2):
        with pytest.raises(ApartFailed) as caught:
            apart.turn(1)
        assert caught.value.outcome == ("failed", "RuntimeError: not today", {})


@pytest.mark.parametrize(
    ("apart", "status", "message"),
    [
        (lambda: os._exit(3), "failed", "exited with status 3 and no result"),
        (lambda: os.kill(os.getpid(), 9), "killed", "killed by SIGKILL (often: out of memory)"),
    ],
    indirect=["apart"],
)
def test_a_process_that_ends_is_an_outcome_too(apart: Apart, status: str, message: str) -> None:
    with pytest.raises(ApartFailed) as caught:
        apart.turn(1)
    assert caught.value.outcome == (status, message, {})


@pytest.mark.parametrize("apart", [os.fork], indirect=True)
def test_a_process_that_forks_answers_once(apart: Apart) -> None:
    first, second = apart.turn(1), apart.turn(2)
    assert (first[2], second[2]) == (1, 2)
    assert first[0] == second[0] == apart.process
    time.sleep(0.1)
    assert not apart.connection.poll()
