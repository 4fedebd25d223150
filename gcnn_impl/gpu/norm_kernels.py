# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators, allow-untyped-calls
"""Batch norm with ReLU and residual in Triton, on rows of C channels; every map is read in one block after another.

Shapes: a map has R rows of C contiguous channels. Programs own a share of the rows and a block of the channels. Partial
sums (2, programs, C) are added in a fixed order by every program that needs them, which saves a launch.
Sums are float32, or float64 for maps in double precision.
"""

import triton
import triton.language as tl

SIZES = ["R", "share", "parts_share", "count_parts"]  # must not have kernels compiled anew


@triton.jit
def _relu(x):
    return tl.where(x <= 0, 0, x)  # as torch's, keeps NaN


@triton.jit
def _count(R, program, share):
    """Return how many rows a program has."""
    return tl.minimum(tl.maximum(R - program.to(tl.int64) * share, 0), share)


@triton.jit(do_not_specialize=SIZES)
def statistics(x, parts, R, C, share, BLOCK_R: tl.constexpr, BLOCK_C: tl.constexpr):
    """Write mean and Σ (x − mean)² of each program's rows into ``parts`` (2, programs, C).

    Each of the BLOCK_R lanes uses Welford's update; a last step combines the lanes. A mean that is large compared with
    the deviation therefore costs no digits.
    """
    program, programs = tl.program_id(0), tl.num_programs(0)
    dtype: tl.constexpr = parts.dtype.element_ty
    c = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    lane = tl.arange(0, BLOCK_R)
    rows = _count(R, program, share)
    x += program.to(tl.int64) * share * C
    mean, squares = tl.zeros((BLOCK_R, BLOCK_C), dtype), tl.zeros((BLOCK_R, BLOCK_C), dtype)
    for start in range(0, share, BLOCK_R):
        r = start + lane
        mask = (r < rows)[:, None] & (c < C)[None, :]
        value = tl.load(x + r[:, None].to(tl.int64) * C + c[None, :], mask, 0).to(dtype)
        distance = tl.where(mask, value - mean, 0)
        mean += distance * (1.0 / (start // BLOCK_R + 1))
        squares += distance * tl.where(mask, value - mean, 0)
    count = ((rows - lane + BLOCK_R - 1) // BLOCK_R).to(dtype)[:, None]  # rows of each lane
    count = tl.where(lane[:, None] < rows, count, 0)
    share_of_lane = count / rows.to(dtype)
    middle = tl.sum(mean * share_of_lane, 0)
    middle += tl.sum((mean - middle[None, :]) * share_of_lane, 0)  # what rounding has lost
    off = mean - middle[None, :]
    total = tl.sum(squares + off * off * count, 0)
    to = parts + program.to(tl.int64) * C + c
    tl.store(to, middle, c < C)
    tl.store(to + programs.to(tl.int64) * C, total, c < C)


@triton.jit(do_not_specialize=SIZES)
def normalise(
    x,
    weight,
    bias,
    running_mean,
    running_var,
    residual,
    parts,
    y,
    saved_mean,
    saved_scale,
    R,
    C,
    share,
    parts_share,
    count_parts,
    momentum: tl.constexpr,
    eps: tl.constexpr,
    OF_BATCH: tl.constexpr,
    RUNNING: tl.constexpr,
    AFFINE: tl.constexpr,
    RELU: tl.constexpr,
    RESIDUAL: tl.constexpr,
    PARTS_BLOCK: tl.constexpr,
    BLOCK_R: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """Write the normalised map, rectified if RELU, and with the residual added and rectified again if RESIDUAL.

    With OF_BATCH the statistics are those of ``parts``, and the running ones (if RUNNING) are updated.
    """
    program = tl.program_id(0)
    dtype: tl.constexpr = saved_mean.dtype.element_ty
    c = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    here = c < C
    if OF_BATCH:
        part = tl.arange(0, PARTS_BLOCK)
        exists = (part < count_parts)[:, None] & here[None, :]
        from_part = parts + part[:, None] * C + c[None, :]
        means, squares = tl.load(from_part, exists, 0), tl.load(from_part + count_parts * C, exists, 0)
        count = _count(R, part, parts_share).to(dtype)[:, None]
        all_rows = R.to(dtype)
        mean = tl.sum(means * (count / all_rows), 0)
        mean += tl.sum(tl.where(exists, means - mean[None, :], 0) * (count / all_rows), 0)
        off = means - mean[None, :]
        squares = tl.sum(tl.where(exists, squares + off * off * count, 0), 0)
        var = squares / all_rows
        if RUNNING and program == 0:
            old = tl.load(running_mean + c, here, 0).to(dtype)
            tl.store(running_mean + c, (1 - momentum) * old + momentum * mean, here)
            old = tl.load(running_var + c, here, 0).to(dtype)
            tl.store(running_var + c, (1 - momentum) * old + momentum * (squares / (all_rows - 1)), here)
    else:
        mean, var = tl.load(running_mean + c, here, 0).to(dtype), tl.load(running_var + c, here, 1).to(dtype)
    scale = tl.rsqrt(var + eps)
    if program == 0:
        tl.store(saved_mean + c, mean, here)
        tl.store(saved_scale + c, scale, here)
    shift = tl.zeros((BLOCK_C,), dtype)
    if AFFINE:
        scale *= tl.load(weight + c, here, 0).to(dtype)
        shift = tl.load(bias + c, here, 0).to(dtype)

    rows = _count(R, program, share)
    first = program.to(tl.int64) * share * C
    for start in range(0, share, BLOCK_R):
        r = start + tl.arange(0, BLOCK_R)
        mask = (r < rows)[:, None] & here[None, :]
        at = first + r[:, None].to(tl.int64) * C + c[None, :]
        value = (tl.load(x + at, mask, 0).to(dtype) - mean[None, :]) * scale[None, :] + shift[None, :]
        if RELU:
            value = _relu(value)
        if RESIDUAL:
            value = _relu(value + tl.load(residual + at, mask, 0).to(dtype))
        tl.store(y + at, value, mask)


@triton.jit
def _gradient(g, normed, weight, shift, RELU: tl.constexpr, AFFINE: tl.constexpr):
    """Return the gradient before the first ReLU; zero where the ReLU's input, computed anew, is not positive."""
    if RELU:
        value = normed
        if AFFINE:
            value = normed * weight[None, :] + shift[None, :]
        g = tl.where(value <= 0, 0, g)
    return g


@triton.jit(do_not_specialize=SIZES)
def gradient_sums(
    gradient,
    x,
    weight,
    bias,
    saved_mean,
    saved_scale,
    y,
    of_residual,
    parts,
    R,
    C,
    share,
    AFFINE: tl.constexpr,
    RELU: tl.constexpr,
    RESIDUAL: tl.constexpr,
    BLOCK_R: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """Write Σ g and Σ g x̂ of each program's rows into ``parts`` (2, programs, C), and the residual's gradient."""
    program, programs = tl.program_id(0), tl.num_programs(0)
    dtype: tl.constexpr = parts.dtype.element_ty
    c = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    here = c < C
    mean, scale = tl.load(saved_mean + c, here, 0), tl.load(saved_scale + c, here, 0)
    w, shift = mean, mean
    if AFFINE:
        w, shift = tl.load(weight + c, here, 0).to(dtype), tl.load(bias + c, here, 0).to(dtype)
    rows = _count(R, program, share)
    first = program.to(tl.int64) * share * C
    sums, products = tl.zeros((BLOCK_R, BLOCK_C), dtype), tl.zeros((BLOCK_R, BLOCK_C), dtype)
    for start in range(0, share, BLOCK_R):
        r = start + tl.arange(0, BLOCK_R)
        mask = (r < rows)[:, None] & here[None, :]
        at = first + r[:, None].to(tl.int64) * C + c[None, :]
        g = tl.load(gradient + at, mask, 0)
        if RESIDUAL:
            g = tl.where(tl.load(y + at, mask, 0) <= 0, 0, g)
            tl.store(of_residual + at, g, mask)
        normed = (tl.load(x + at, mask, 0).to(dtype) - mean[None, :]) * scale[None, :]
        g = _gradient(g.to(dtype), normed, w, shift, RELU, AFFINE)
        sums += g
        products += g * normed  # g is zero where the mask is
    to = parts + program.to(tl.int64) * C + c
    tl.store(to, tl.sum(sums, 0), here)
    tl.store(to + programs.to(tl.int64) * C, tl.sum(products, 0), here)


@triton.jit(do_not_specialize=SIZES)
def gradients(
    gradient,
    x,
    weight,
    bias,
    saved_mean,
    saved_scale,
    parts,
    of_x,
    of_weight,
    of_bias,
    R,
    C,
    share,
    count_parts,
    OF_BATCH: tl.constexpr,
    AFFINE: tl.constexpr,
    RELU: tl.constexpr,
    PARTS_BLOCK: tl.constexpr,
    BLOCK_R: tl.constexpr,
    BLOCK_C: tl.constexpr,
):
    """Write the gradients of the map, of the weight and of the bias; ``gradient`` is the one before the residual."""
    program = tl.program_id(0)
    dtype: tl.constexpr = parts.dtype.element_ty
    c = tl.program_id(1) * BLOCK_C + tl.arange(0, BLOCK_C)
    here = c < C
    part = tl.arange(0, PARTS_BLOCK)
    exists = (part < count_parts)[:, None] & here[None, :]
    from_part = parts + part[:, None] * C + c[None, :]
    sums = tl.sum(tl.load(from_part, exists, 0), 0)
    products = tl.sum(tl.load(from_part + count_parts * C, exists, 0), 0)
    mean, scale = tl.load(saved_mean + c, here, 0), tl.load(saved_scale + c, here, 0)
    w, shift, factor = mean, mean, scale
    if AFFINE:
        w, shift = tl.load(weight + c, here, 0).to(dtype), tl.load(bias + c, here, 0).to(dtype)
        factor = scale * w
        if program == 0:
            tl.store(of_bias + c, sums, here)
            tl.store(of_weight + c, products, here)
    sums, products = sums / R.to(dtype), products / R.to(dtype)
    rows = _count(R, program, share)
    first = program.to(tl.int64) * share * C
    for start in range(0, share, BLOCK_R):
        r = start + tl.arange(0, BLOCK_R)
        mask = (r < rows)[:, None] & here[None, :]
        at = first + r[:, None].to(tl.int64) * C + c[None, :]
        normed = (tl.load(x + at, mask, 0).to(dtype) - mean[None, :]) * scale[None, :]
        g = _gradient(tl.load(gradient + at, mask, 0).to(dtype), normed, w, shift, RELU, AFFINE)
        if OF_BATCH:
            g = g - sums[None, :] - normed * products[None, :]
        tl.store(of_x + at, g * factor[None, :], mask)
