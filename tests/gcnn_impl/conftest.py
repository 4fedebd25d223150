import pytest
import torch

from tests.conftest import ORACLE


@pytest.fixture
def oracle_errors(request):
    """Return a list for relative errors compared with the oracle, which are summarised at the end of the run."""
    errors: list[float] = []
    yield errors
    request.node.user_properties.append((ORACLE, [float(error) for error in errors]))


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)
