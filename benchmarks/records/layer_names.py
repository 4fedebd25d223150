"""What the names of a network's layers say in records."""


def has_one_tap(layer: str) -> bool:
    """Tell whether a layer is a skip convolution, whose 1 × 1 kernel is a product of every form from the start.

    >>> has_one_tap("blocks.1.skip"), has_one_tap("blocks.1.conv1")
    (True, False)
    """
    return "skip" in layer
