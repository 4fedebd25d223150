"""The place of a pass under the roofline of Williams, Waterman, Patterson, CACM 52, 2009."""


def roofline(macs: float, bytes_moved: float, seconds: float, ceilings: dict[str, float]) -> dict[str, float]:
    """Return the place of a pass under the measured ceilings of the machine, ``matrix_ceiling`` and ``memory_ceiling``.

    The MACs are those of the definition, so a path that leaves work out can have a fraction above 1.

    Returns:
        ``arithmetic_intensity``, MAC/byte; ``macs_per_second``; the two ceilings; and ``fraction``, the rate divided by
        the roof at that intensity.

    >>> roofline(1e9, 1e9, 0.5, {"matrix_ceiling": 1e11, "memory_ceiling": 1e10})["fraction"]
    0.2
    """
    rate = macs / seconds
    # The roof is the lower of two ceilings, so the fraction is the larger of two ratios.
    fraction = max(rate / ceilings["matrix_ceiling"], bytes_moved / seconds / ceilings["memory_ceiling"])
    return {"arithmetic_intensity": macs / bytes_moved, "macs_per_second": rate, **ceilings, "fraction": fraction}
