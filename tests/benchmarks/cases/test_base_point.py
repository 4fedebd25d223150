"""Which layers are at the base point of some cases."""

from dataclasses import replace

from benchmarks.cases.base_point import layers_at_base
from benchmarks.cases.case import Case
from benchmarks.cases.profiles import PROFILES, profile_cases

BASIC = {"plain", "lifting", "full", "separable"}


def test_each_profile_has_the_basic_layers_in_inference_and_training_at_its_base_point() -> None:
    for profile in ("quick", "standard"):
        for device in PROFILES[profile]:
            found = layers_at_base(profile_cases(profile, devices=[device]))
            passes = {(case.variant, case.direction) for case in found}
            assert len(found) == len(passes) == 8
            assert passes == {(variant, pass_) for variant in BASIC for pass_ in ("forward", "forward_backward")}
            assert len({(case.channels, case.batch_size, case.threads, case.device) for case in found}) == 1
            assert {case.group for case in found} == {"SO2", "trivial"}


def test_each_device_has_a_base_point_of_its_own() -> None:
    found = layers_at_base(profile_cases("quick", devices=("cpu", "cuda")))
    assert {(case.device, case.channels) for case in found} == {("cpu", 16), ("cuda", 64)}


def test_other_sizes_peers_and_settings_are_not_at_the_base_point() -> None:
    base = Case(threads=2)
    others = [
        replace(base, channels=8),
        replace(base, threads=1),
        replace(base, implementation="torch"),
        replace(base, kernels="generated"),
        replace(base, execution="compiled", kernels="generated"),
        replace(base, dtype="bfloat16"),
        replace(base, layer="resnet"),
        replace(base, variant="dseparable"),
    ]
    lifting = replace(base, variant="lifting")
    assert layers_at_base([base, lifting, *others]) == [base, lifting]


def test_a_plain_layer_alone_has_no_base_point() -> None:
    assert layers_at_base([Case(variant="plain", group="trivial", resolution=1)]) == []
    assert layers_at_base([]) == []
