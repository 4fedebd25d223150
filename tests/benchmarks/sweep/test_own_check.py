"""Users' layers and networks are checked before anything is measured."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.cases.case import Case, InvalidCase
from benchmarks.commands.sweep import with_one_width
from benchmarks.records.outcome import Outcome
from benchmarks.records.store import RecordStore
from benchmarks.running.environment import MEASURING_ENVIRONMENT
from benchmarks.sweep.own_check import check_own

P4 = Case(implementation="examples.own_layer:P4Conv2d", variant="custom", resolution=4, threads=1)


def own(layer: str, **fields: object) -> Case:
    return replace(P4, implementation=f"tests.benchmarks.wrong_modules:{layer}", **fields)  # type: ignore[arg-type]


def network(name: str) -> Case:
    return Case(
        layer="network",
        implementation=f"tests.benchmarks.wrong_modules:{name}",
        variant="custom",
        group="trivial",
        resolution=1,
        image_size=16,
        direction="forward_backward",
    )


def test_right_modules_pass_and_a_layer_may_exist_for_some_groups_only() -> None:
    small_cnn = replace(network("small"), implementation="examples.own_network:small_cnn")
    assert check_own([Case(), P4, replace(P4, resolution=8), small_cnn]) == frozenset()


def test_a_network_whose_factory_takes_no_channels_has_no_width(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = network("zeros")
    assert check_own([fixed]) == {fixed.implementation}
    narrow, wide = replace(fixed, channels=8), replace(fixed, channels=16)
    assert with_one_width([P4, wide, narrow], [fixed.implementation]) == [P4, wide]
    asked = ["train", "--network", fixed.implementation, "--channels", "16", "--results", str(tmp_path)]
    assert main(asked) == 2
    assert "--channels does not go with tests.benchmarks.wrong_modules:zeros, whose factory takes no channels" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (
            own("Wrong"),
            "Wrong is no torch.nn.Module and no function in tests.benchmarks.wrong_modules; .*Clockwise, Raises",
        ),
        (own("NoArguments"), r"raises TypeError: .*; a function that builds it may stand .*; nothing was measured$"),
        (
            own("Transposed"),
            r"output has shape .*, expected .*, the same sizes in another order; nothing was measured$",
        ),
        (own("Clockwise"), "equivariance error .*; the axis of H is in the order of the inverse elements"),
        (own("Raises"), r"failed: RuntimeError: not today \(wrong_modules.py, line \d+\) \(checked on 2 images"),
        (
            own("NeedsABatch", batch_size=16),
            r"B=2 .*AssertionError:.* \(checked on 2 images of 16 × 16; --no-check measures without\); nothing was ",
        ),
        (own("Misspelt"), r"NameError: name 'y' is not defined \(wrong_modules.py, line \d+\); nothing was measured$"),
        (
            network("shrinking"),
            r"RuntimeError: .* \(checked on 2 images of 16 × 16; --image-size gives others\); nothing was measured$",
        ),
        (
            own("RaisesInBackward", direction="forward_backward", kernels="generated"),
            r"failed: RuntimeError: not back.* \(wrong_modules.py, line \d+\) \(checked on 2 images",
        ),
        (own("clockwise"), "did you mean Clockwise[?] allowed: "),
        (network("nothing"), "has no such function; allowed: no_module, raising, "),
        (network("zeroes"), "has no such function; did you mean zeros[?] allowed: "),
        (own("lazy_layer"), r"lazy_layer\(.*\) returns a module with lazy parameters, which have no size yet; first "),
        (network("lazy"), r"factory\(.*\) returns a module with lazy parameters, which have no size yet; first give "),
        (network("no_module"), "returns a int; allowed: torch.nn.Module"),
        (
            network("raising"),
            r"factory\(in_channels, num_classes, image_size\) raises ValueError: no.* \(wrong_modules.py, line",
        ),
        (network("wrong_classes"), r"output has shape \(2, 3\), expected \(2, 10\)"),
        (network("raises_in_backward"), "failed: RuntimeError: not back"),
    ],
)
def test_what_is_wrong_is_said(case: Case, message: str) -> None:
    with pytest.raises(InvalidCase, match=message):
        check_own([Case(), case])


@pytest.mark.parametrize("command", [["train"], ["study", "rotated-digits", "--scale", "quick"]])
def test_a_wrong_network_is_named_before_anything_is_trained(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--network", "tests.benchmarks.wrong_modules:wrong_classes", "--results", str(tmp_path)]
    assert main([*command, *options]) == 2
    assert "output has shape (2, 3), expected (2, 10); nothing was measured" in capsys.readouterr().err
    assert RecordStore(tmp_path).load() == []


def test_the_example_of_a_network_of_our_layers_passes() -> None:
    check_own([replace(network("separable"), implementation="examples.own_network:separable_cnn")])


def test_a_network_without_any_logits_at_first_passes() -> None:
    check_own([network("zeros")])


def test_a_sweep_with_a_wrong_layer_measures_nothing_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--resolution", "4", "--variant", "separable", "--batch-size", "1", "--seconds", "0.01", "--rounds", "1"]
    asked = ["sweep", "--results", str(tmp_path), "--direction", "forward", *options]
    asked += ["--layer", "conv", "tests.benchmarks.wrong_modules:Clockwise"]
    assert main(asked) == 2
    error = capsys.readouterr().err
    assert "the axis of H is in the order of the inverse elements" in error
    assert not RecordStore(tmp_path).path.exists()
    assert main([*asked, "--no-check"]) == 1  # a user's layer has failed, though others were measured
    assert main([*asked, "--no-check"]) == 1  # it has still failed, and is not measured again
    assert "records already there are of failures (invalid: " in capsys.readouterr().err
    assert {record["status"] for record in RecordStore(tmp_path).load() if record["kind"] == "cost"} == {
        "ok",
        "invalid",
    }


def test_the_processes_that_measure_later_get_the_measuring_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> Outcome:
        seen.append({name: os.environ.get(name) for name in MEASURING_ENVIRONMENT})
        return Outcome("ok", "", {"has_width": True})

    seen: list[dict[str, str | None]] = []
    for name in MEASURING_ENVIRONMENT:
        monkeypatch.setenv(name, "")  # so that the variable is restored after the test
        monkeypatch.delenv(name)
    monkeypatch.setattr("benchmarks.sweep.own_check.run_isolated", run)
    check_own([P4])
    assert seen == [MEASURING_ENVIRONMENT]
