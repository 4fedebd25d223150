"""Checks of arguments that groups and layers share."""


def check_integer(name: str, value: object, least: int) -> None:
    """Raise ``ValueError`` unless ``value`` is an integer of at least ``least``.

    >>> check_integer("stride", 0, 1)
    Traceback (most recent call last):
    ValueError: stride must be an integer of at least 1, not 0
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, not {value!r}")
