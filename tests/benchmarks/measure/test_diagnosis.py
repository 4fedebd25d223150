"""What is wrong with a module that is not equivariant is said: the element, and the mistake about the axis of H."""

import pytest
import torch
from torch import Tensor, nn

from benchmarks.measure.diagnosis import diagnose, element_words
from gcnn_impl import O2, SO2, Group, RPlus, SeparableGroupConv2d, SO2xRPlus

TOLERANCE = 1e-4


class Wrapped(nn.Module):
    """A correct layer with a mistake about the axis of H."""

    def __init__(self, group: Group, mistake: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.mistake = SeparableGroupConv2d(2, 2, 3, group, padding=1).eval(), mistake

    def forward(self, x: Tensor) -> Tensor:
        if self.mistake == "clockwise":  # the maps of h and h⁻¹ have changed places
            return self.layer(x.roll(-1, 2).flip(2)).roll(-1, 2).flip(2)  # type: ignore[no-any-return]
        if self.mistake == "axis":  # the first map of the axis everywhere
            return self.layer(x).amax(2, keepdim=True).expand(-1, -1, x.shape[2], -1, -1) * self.weights(x)
        return self.layer(x).roll(1, dims=-1)  # type: ignore[no-any-return]

    def weights(self, x: Tensor) -> Tensor:
        return torch.arange(1.0, x.shape[2] + 1)[None, None, :, None, None]


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("clockwise", "the axis of H is in the order of the inverse elements: angles turn counter-clockwise"),
        ("axis", "the output turns in the plane, but its axis of H does not move along"),
    ],
)
def test_the_usual_mistakes_about_the_axis_are_recognised(mistake: str, words: str) -> None:
    x = torch.randn(2, 2, 4, 8, 8)
    found = diagnose(Wrapped(SO2(4), mistake), x, SO2(4), TOLERANCE)
    assert found.startswith("worst under a turn by ")
    assert found.endswith(f"; {words}")


def test_another_mistake_is_named_by_its_element_alone() -> None:
    found = diagnose(Wrapped(SO2(4), "shift"), torch.randn(2, 2, 4, 8, 8), SO2(4), TOLERANCE)
    assert found in {f"worst under a turn by {angle}°" for angle in (90, 180, 270)}


def test_the_element_with_the_error_is_found() -> None:
    class TurnsRight(nn.Module):
        """Invariant under half turns alone."""

        def forward(self, x: Tensor) -> Tensor:
            return (x + x.rot90(2, (-2, -1))).mul(torch.arange(1.0, 9.0)).sum((-2, -1))

    found = diagnose(TurnsRight(), torch.randn(1, 3, 8, 8), SO2(2), TOLERANCE)
    assert found == "worst under a turn by 180°"


@pytest.mark.parametrize(
    ("group", "place", "words"),
    [
        (SO2(8), 3, "a turn by 135°"),
        (O2(4), 4, "a reflection"),
        (O2(4), 2, "a turn by 180°"),
        (RPlus(2), 1, "a turn by 0° and a scaling by 1.41"),
        (SO2xRPlus(4, 2), 3, "a turn by 90° and a scaling by 1.41"),
    ],
)
def test_elements_in_words(group: Group, place: int, words: str) -> None:
    assert element_words(group, group.elements()[place]) == words
