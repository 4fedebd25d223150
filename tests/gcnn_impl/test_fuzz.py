"""Some hundred calls, drawn anew in every run, right and wrong ones: all algorithms equal the definition or refuse.

``nox -s fuzz`` makes ten thousand draws, ``nox -s sanitize`` watches the memory of the operators in C meanwhile.
"""

import os

import fuzz
import pytest

BATCHES, DRAWS = 10, int(os.environ.get("GCNN_FUZZ_DRAWS", "300")) // 10


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_algorithm_equals_the_definition_or_refuses(batch):
    first = int.from_bytes(os.urandom(4)) if "GCNN_FUZZ_SEED" not in os.environ else int(os.environ["GCNN_FUZZ_SEED"])
    for seed in range(first + batch * DRAWS, first + (batch + 1) * DRAWS):
        try:
            fuzz.run(seed)
        except Exception as error:
            error.add_note(f"python tests/gcnn_impl/fuzz.py --draws 1 --first {seed}")
            raise
