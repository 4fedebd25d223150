"""Some hundred drawn calls, right and wrong ones: all algorithms equal the definition or refuse, and nothing crashes.

``nox -s fuzz`` makes ten thousand draws, ``nox -s sanitize`` watches the memory of the operators in C meanwhile.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import SEED

DRAWS = 300


def test_every_algorithm_equals_the_definition_or_refuses():
    # A process of its own: a crash of native code is a failure of this test, which shows the stack and the draw's seed.
    script = Path(__file__).with_name("fuzz.py")
    options = ["--draws", str(DRAWS), "--first", str(int(SEED) * DRAWS), "--trace"]
    environment = os.environ | {"PYTHONPATH": str(script.parents[2])}
    command = [sys.executable, "-W", "error::RuntimeWarning", "-X", "faulthandler", script, *options]
    ended = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert ended.returncode == 0, ended.stdout[-4000:]
    assert f"{DRAWS} draws, 0 failed" in ended.stdout
