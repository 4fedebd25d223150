"""The command ``deploy``: which network it chooses, what it refuses, and what it writes."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import main
from benchmarks.cases.case import Case
from benchmarks.deployment.forms import Deployment
from tests.benchmarks.deployment.made_up import deployment


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Deploy nothing; return what was asked for."""
    found: dict[str, Any] = {}

    def deploy(case: Case, folder: Path, **options: Any) -> Deployment:
        found.update(options, case=case, folder=folder)
        return deployment()

    monkeypatch.setattr("benchmarks.commands.deploy.deploy", deploy)
    return found


def test_without_options_the_papers_separable_network_is_deployed(given: dict[str, Any], tmp_path: Path) -> None:
    assert main(["deploy", "--results", str(tmp_path), "--threads", "1", "--seconds", "2"]) == 0
    case = given["case"]
    assert (case.layer, case.variant, case.direction, case.batch_size) == ("resnet", "separable", "forward", 64)
    assert given["folder"] == tmp_path / "deployment" / case.id
    assert (given["rounds"], given["seconds"]) == (5, 2.0)
    written = json.loads((given["folder"] / "deployment.json").read_text(), parse_constant=pytest.fail)
    assert [form["form"] for form in written["forms"]] == ["eager", "frozen", "compiled", "exported", "onnx"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rounds", "0"], "rounds 0 is not allowed"),
        (["--seconds", "0"], "seconds 0.0 is not allowed"),
        (["--variant", "full", "separable"], "choose 2 cases; allowed: one case"),
        (["--network", "no_colon"], "no_colon"),
        (["--direction", "forward"], "unrecognized arguments: --direction forward"),
    ],
)
def test_a_wrong_request_ends_with_status_2_and_one_line(
    options: list[str], message: str, given: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["deploy", *options]) == 2
    assert not given
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert message in err
