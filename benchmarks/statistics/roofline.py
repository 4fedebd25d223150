"""Where a pass stands under the roofline of Williams, Waterman, Patterson, CACM 52, 2009."""


def roofline(macs: float, bytes_moved: float, seconds: float, ceilings: dict[str, float]) -> dict[str, float]:
    """Where a pass stands under the ceilings.

    MACs are those of the definition: a path that leaves work out can pass the roof, and its fraction be above 1.

    Args:
        macs: of the pass, ``flops.pass_macs``.
        bytes_moved: by the pass, ``moved_bytes`` or ``minimal_bytes``.
        seconds: it takes.
        ceilings: of this machine, of the function of that name.

    Returns:
        ``arithmetic_intensity``, MAC/byte; ``macs_per_second``; the two ceilings; and ``fraction`` of the roof at that
        intensity.

    >>> roofline(1e9, 1e9, 0.5, {"matrix_ceiling": 1e11, "memory_ceiling": 1e10})["fraction"]
    0.2
    """
    rate = macs / seconds
    # The roof is the lower of two, so the fraction is the larger of two.
    fraction = max(rate / ceilings["matrix_ceiling"], bytes_moved / seconds / ceilings["memory_ceiling"])
    return {"arithmetic_intensity": macs / bytes_moved, "macs_per_second": rate, **ceilings, "fraction": fraction}
