"""Cases have stable ids, say what is wrong with them in one line, and come in profiles."""

import dataclasses
from typing import Any

import pytest

from benchmarks.cases import AXES, PROFILES, Case, InvalidCase, available_cores, expand, profile_cases

OTHER_VALUES: dict[str, Any] = {
    "layer": {"layer": "resnet"},
    "variant": {"variant": "full"},
    "group": {"variant": "plain", "group": "trivial", "resolution": 1},
    "resolution": {"resolution": 4},
    "channels": {"channels": 8},
    "batch_size": {"batch_size": 1},
    "image_size": {"image_size": 14},
    "kernel_size": {"kernel_size": 7},
    "direction": {"direction": "forward_backward"},
    "device": {"device": "cuda"},
    "threads": {"threads": 2},
}


def test_the_id_is_the_same_on_every_machine_and_in_every_release() -> None:
    # If this changes, every stored record is measured again: bump CASE_VERSION on purpose, or do not change it.
    assert Case().id == "33e9b0b6ab5d"


def test_every_axis_changes_the_id() -> None:
    assert set(OTHER_VALUES) | {"dtype"} == set(AXES)  # float32 is the only dtype there is
    ids = {Case(**values).id for values in OTHER_VALUES.values()}
    assert len(ids | {Case().id}) == len(OTHER_VALUES) + 1


def test_the_id_depends_on_the_version_of_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Case().id
    monkeypatch.setattr("benchmarks.cases.CASE_VERSION", 1000)
    assert Case().id != before


def test_a_case_is_hashable_and_made_again_from_its_fields() -> None:
    case = Case(variant="full", threads=2)
    assert Case(**case.fields()) == case  # type: ignore[arg-type]
    assert len({case, Case(variant="full", threads=2)}) == 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        case.threads = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"variant": "dense"}, r"^unknown variant 'dense'; allowed: plain, lifting, full, separable$"),
        ({"layer": "mlp"}, r"^unknown layer 'mlp'; allowed: conv, resnet$"),
        ({"device": "tpu"}, r"^unknown device 'tpu'; allowed: cpu, cuda$"),
        ({"dtype": "int8"}, r"^unknown dtype 'int8'; allowed: float32$"),
        ({"resolution": 0}, r"^resolution 0 is not allowed; allowed: integers of at least 1$"),
        ({"channels": -8}, r"^channels -8 is not allowed; allowed: integers of at least 1$"),
        ({"batch_size": 0}, r"^batch_size 0 is not allowed"),
        ({"threads": True}, r"^threads True is not allowed"),
        ({"image_size": 2.5}, r"^image_size 2.5 is not allowed"),
        ({"kernel_size": 4}, r"^kernel_size 4 is even; allowed: odd integers of at least 1$"),
        ({"variant": "plain"}, r"^group 'SO2' does not go with variant 'plain'; allowed: trivial$"),
        ({"group": "trivial"}, r"^group 'trivial' does not go with variant 'separable'; allowed: SO2$"),
        ({"variant": "plain", "group": "trivial"}, r"^resolution 8 does not go with variant 'plain'; allowed: 1$"),
        ({"layer": "resnet", "variant": "lifting"}, r"^variant 'lifting' does not go with layer 'resnet'"),
        ({"layer": "resnet", "image_size": 8}, r"^image_size 8 is too small for layer 'resnet'; allowed: 9 or more$"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase, match=message):
        Case(**fields)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_has_every_case_once_and_every_variant_in_both_directions(profile: str) -> None:
    cases = profile_cases(profile)
    assert len({case.id for case in cases}) == len(cases)
    kinds = {(case.layer, case.variant, case.direction) for case in cases}
    assert len(kinds) == 2 * (4 + 3)
    assert {case.threads for case in cases} == {available_cores()}


def test_quick_varies_one_axis_at_a_time_around_the_base_point() -> None:
    base = Case(variant="full", threads=1)
    cases = [c for c in profile_cases("quick", threads=(1,)) if (c.layer, c.variant) == ("conv", "full")]
    assert base in cases
    for case in cases:
        differing = [a for a in AXES if getattr(case, a) != getattr(base, a) and a != "direction"]
        assert len(differing) <= 1
    assert {case.resolution for case in cases} == {2, 4, 8, 16}
    assert {case.channels for case in cases} == {8, 16, 32}
    assert {case.batch_size for case in cases} == {1, 16, 64}


def test_plain_has_no_resolution_to_vary() -> None:
    assert expand({"variant": ("plain",), "resolution": (2, 4, 8)}) == [
        Case(variant="plain", group="trivial", resolution=1)
    ]


def test_values_given_replace_those_of_the_profile() -> None:
    cases = profile_cases("quick", resolution=(3, 5), variant=("separable", "full"), threads=(1,), device=None)
    assert {case.resolution for case in cases} == {3, 5}
    assert {case.variant for case in cases} == {"separable", "full"}


def test_a_layer_given_chooses_among_the_grids_of_the_profile() -> None:
    everything = profile_cases("quick")
    assert profile_cases("quick", layer=("resnet",)) == [case for case in everything if case.layer == "resnet"]


@pytest.mark.parametrize(
    ("profile", "values", "message"),
    [
        ("fast", {}, "^unknown profile 'fast'; allowed: quick, standard, full$"),
        ("quick", {"layer": ("mlp",)}, "^unknown layer 'mlp'"),
        # A plain case has no resolution, but 0 is wrong all the same.
        ("quick", {"variant": ("plain",), "resolution": (0,)}, "^resolution 0 is not allowed"),
        ("quick", {"layer": ("resnet",), "variant": ("lifting",)}, "^no case is left"),
    ],
)
def test_wrong_values_for_a_profile(profile: str, values: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCase, match=message):
        profile_cases(profile, **values)
