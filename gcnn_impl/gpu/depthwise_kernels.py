# mypy: ignore-errors
# ruff: noqa: RUF005
"""The kernels in Triton of the depthwise convolution; ``depthwise`` launches them.

Maps are (B, H, W, M) in memory, M = |H|·C. A program works on ``BLOCK`` adjacent maps, one for each thread, and on
``ROWS`` rows of an image. It goes along the columns and loads every column of its input once. In registers are the
weights and the sums of all places of the output to which that column contributes, ``SIZE`` columns of ``ROWS`` rows. A
value is therefore loaded (ROWS + SIZE − 1) / ROWS times instead of once for each tap, and a thread needs only values
that it has loaded itself: neither shared memory nor an exchange between threads.

``TAPS`` contains (row, column, row of the weight) of every tap; the weight is (SIZE², M) in memory. ``PADDING`` is less
than ``SIZE``. Sums are of type ``SUM``. A tuple of values of columns has ``ROWS`` values for each column.

Triton's interpreter sets two limits. Triton 3.6 with NumPy 2.5 takes no tensor in ``range``, so loops are ``while``. A
block of conditions ``&`` a single one gives integers, so masks compare with a bound.
"""

import triton
import triton.language as tl

# Sizes that must not have kernels compiled anew: a compilation takes seconds.
SIZES = ("height", "width", "out_height", "out_width", "channels", "segment", "parts", "programs")


@triton.jit
def _place(part, height, width, segment, ROWS: tl.constexpr):
    """Return image, first row, first column and last column + 1 of a part of the output."""
    segments, bands = tl.cdiv(width, segment), tl.cdiv(height, ROWS)
    first = part % segments * segment
    band = part // segments
    return (band // bands).to(tl.int64), band % bands * ROWS, first, tl.minimum(first + segment, width)


@triton.jit
def _column(x, row, column, height, width, first, last, m, maps, COUNT: tl.constexpr, SUM: tl.constexpr):
    """Load rows ``row`` to ``row + COUNT − 1`` of a column; zeros outside of the image and of the columns first … last.

    ``last`` is excluded.
    """
    found = ()
    for s in tl.static_range(COUNT):
        inside = (row + s >= 0) & (row + s < height) & (column >= first) & (column < last)
        pixel = ((row + s) * width + column).to(tl.int64)
        found = found + (tl.load(x + pixel * maps + m, mask=m < tl.where(inside, maps, 0), other=0).to(SUM),)
    return found


@triton.jit
def _store(y, column_of_sums, row, column, height, width, first, last, m, maps, ROWS: tl.constexpr):
    """Store a column of sums, the first ``ROWS`` values, if it is one of the columns first ≤ column < last."""
    for o in tl.static_range(ROWS):
        inside = (row + o < height) & (column >= first) & (column < last)
        pixel = ((row + o) * width + column).to(tl.int64)
        tl.store(y + pixel * maps + m, column_of_sums[o].to(y.dtype.element_ty), mask=m < tl.where(inside, maps, 0))


@triton.jit
def _weights(weight, m, maps, TAPS: tl.constexpr, SUM: tl.constexpr):
    found = ()
    for t in tl.static_range(len(TAPS)):
        found = found + (tl.load(weight + TAPS[t][2] * maps + m, mask=m < maps, other=0).to(SUM),)
    return found


@triton.jit
def _add_products(sums, column, weights, TAPS: tl.constexpr, SIZE: tl.constexpr, ROWS: tl.constexpr):
    """Add the products of the weights and a column of the input to the sums of the output."""
    found = ()
    for n in tl.static_range(SIZE * ROWS):
        total = sums[n]
        for t in tl.static_range(len(TAPS)):
            if TAPS[t][1] == SIZE - 1 - n // ROWS:
                total += column[n % ROWS + TAPS[t][0]] * weights[t]
        found = found + (total,)
    return found


@triton.jit(do_not_specialize=SIZES)
def convolve(
    x, weight, bias, y, height, width, out_height, out_width, maps, channels, segment,
    HAS_BIAS: tl.constexpr, PADDING: tl.constexpr, TAPS: tl.constexpr, SIZE: tl.constexpr,
    ROWS: tl.constexpr, BLOCK: tl.constexpr, SUM: tl.constexpr,
):  # fmt: skip
    """Compute y[p] = bias + Σ_t w[t] x[p + t − PADDING]; there is a program for each part of y and block of maps."""
    blocks = tl.cdiv(maps, BLOCK)
    m = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    image, row, first, last = _place(tl.program_id(0) // blocks, out_height, out_width, segment, ROWS)
    x += image * height * width * maps
    y += image * out_height * out_width * maps
    weights = _weights(weight, m, maps, TAPS, SUM)
    start = tl.zeros([BLOCK], SUM)
    if HAS_BIAS:
        start += tl.load(bias + m % channels, mask=m < maps, other=0).to(SUM)
    sums = (start,) * (SIZE * ROWS)
    begin, stop = tl.maximum(first - PADDING, 0), tl.minimum(last + SIZE - 1 - PADDING, width)
    column = begin
    while column < stop:
        values = _column(x, row - PADDING, column, height, width, begin, stop, m, maps, ROWS + SIZE - 1, SUM)
        sums = _add_products(sums, values, weights, TAPS, SIZE, ROWS)
        done = column + PADDING - SIZE + 1  # the column of the output to which later columns add nothing
        _store(y, sums, row, done, out_height, out_width, first, last, m, maps, ROWS)
        sums = sums[ROWS:] + (start,) * ROWS
        column += 1
    for d in tl.static_range(SIZE - 1):  # columns of the output that reach beyond the image
        done = stop + PADDING - SIZE + 1 + d
        _store(y, sums, row, done, out_height, out_width, first, last, m, maps, ROWS)
        sums = sums[ROWS:]


@triton.jit
def _add_correlations(totals, column, window, TAPS: tl.constexpr, SIZE: tl.constexpr, ROWS: tl.constexpr):
    """Add the products of a column of the gradient and a window of the input to the gradient of each tap's weight."""
    found = ()
    for t in tl.static_range(len(TAPS)):
        total = totals[t]
        for o in tl.static_range(ROWS):
            total += column[o + TAPS[t][0]] * window[(SIZE - 1 - TAPS[t][1]) * ROWS + o]
        found = found + (total,)
    return found


@triton.jit(do_not_specialize=SIZES)
def backward(
    gradient, x, weight, of_x, partial, height, width, out_height, out_width, maps, segment, parts,
    OF_X: tl.constexpr, OF_BIAS: tl.constexpr, PADDING: tl.constexpr, TAPS: tl.constexpr, SIZE: tl.constexpr,
    ROWS: tl.constexpr, BLOCK: tl.constexpr, SUM: tl.constexpr,
):  # fmt: skip
    """Compute of_x[q] = Σ_t w[t] g[q + t − PADDING], and Σ_q x[q] g[q + t − PADDING] for every tap t and map.

    ``TAPS`` and ``PADDING`` are those of the transposed convolution. A value of g is loaded once for both. Each program
    takes several parts of of_x in a fixed order and writes its own row of ``partial``, (programs, T + OF_BIAS, M). The
    last of the values is the sum of g over the part's pixels.
    """
    blocks = tl.cdiv(maps, BLOCK)
    programs, program = tl.num_programs(0) // blocks, tl.program_id(0) // blocks
    m = tl.program_id(0) % blocks * BLOCK + tl.arange(0, BLOCK)
    zero = tl.zeros([BLOCK], SUM)
    totals, of_bias = (zero,) * len(TAPS), zero
    if OF_X:
        weights = _weights(weight, m, maps, TAPS, SUM)
    part = program
    while part < parts:
        image, row, first, last = _place(part, height, width, segment, ROWS)
        g = gradient + image * out_height * out_width * maps
        inputs = x + image * height * width * maps
        begin, stop = tl.maximum(first - PADDING, 0), tl.minimum(last + SIZE - 1 - PADDING, out_width)
        window = ()  # columns of x to which a column of g contributes, besides the last of them
        for d in tl.static_range(SIZE - 1):
            left = begin + PADDING - SIZE + 1 + d
            window = window + _column(inputs, row, left, height, width, first, last, m, maps, ROWS, SUM)
        sums = (zero,) * (SIZE * ROWS)
        column = begin
        while column < stop:
            values = _column(
                g, row - PADDING, column, out_height, out_width, begin, stop, m, maps, ROWS + SIZE - 1, SUM
            )
            right = _column(inputs, row, column + PADDING, height, width, first, last, m, maps, ROWS, SUM)
            totals = _add_correlations(totals, values, window + right, TAPS, SIZE, ROWS)
            window = (window + right)[ROWS:]
            if OF_X:
                sums = _add_products(sums, values, weights, TAPS, SIZE, ROWS)
                done = column + PADDING - SIZE + 1
                _store(of_x + image * height * width * maps, sums, row, done, height, width, first, last, m, maps, ROWS)
                sums = sums[ROWS:] + (zero,) * ROWS
            if OF_BIAS:  # g may be larger than x: its last rows and columns belong to the last part
                own = (column >= first) & ((column < last) | (last == width))
                for s in tl.static_range(PADDING, ROWS + SIZE - 1):
                    if s < PADDING + ROWS:
                        of_bias += tl.where(own, values[s], zero)
                    else:
                        of_bias += tl.where(own & (row + ROWS >= height), values[s], zero)
            column += 1
        if OF_X:
            for d in tl.static_range(SIZE - 1):
                done = stop + PADDING - SIZE + 1 + d
                _store(of_x + image * height * width * maps, sums, row, done, height, width, first, last, m, maps, ROWS)
                sums = sums[ROWS:]
        part += programs
    partial += program * (len(TAPS) + OF_BIAS) * maps
    for t in tl.static_range(len(TAPS)):
        tl.store(partial + t * maps + m, totals[t], mask=m < maps)
    if OF_BIAS:
        tl.store(partial + len(TAPS) * maps + m, of_bias, mask=m < maps)


@triton.jit(do_not_specialize=SIZES)
def add_partial(
    partial, of_weight, of_bias, programs, maps, channels,
    OF_BIAS: tl.constexpr, TAPS: tl.constexpr, SIZE: tl.constexpr,
    TILE: tl.constexpr, BLOCK: tl.constexpr, SUM: tl.constexpr,
):  # fmt: skip
    """Add the rows of ``partial`` in a fixed order: (SIZE², M), zero outside the taps, and (C,) of a bias.

    There is a program for each row of the weight and block of maps. Programs of row SIZE² add the values of a bias at
    the |H| elements of the group as well.
    """
    wanted = tl.program_id(0)
    m = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    tap, elements, width = -1, 1, maps
    for t in tl.static_range(len(TAPS)):
        tap = tl.where(wanted == TAPS[t][2], t, tap)
    if OF_BIAS and wanted == SIZE * SIZE:
        tap, elements, width = len(TAPS), maps // channels, channels
    count = tl.where(tap < 0, 0, programs * elements)
    total = tl.zeros([BLOCK], SUM)
    start = 0
    while start < count:
        n = start + tl.arange(0, TILE)[:, None]
        row = n // elements * (len(TAPS) + OF_BIAS) + tap
        mask = (n < count) & (m < width)[None, :]
        total += tl.sum(
            tl.load(partial + row * maps + n % elements * channels + m[None, :], mask=mask, other=0), axis=0
        )
        start += TILE
    if OF_BIAS and wanted == SIZE * SIZE:
        tl.store(of_bias + m, total.to(of_bias.dtype.element_ty), mask=m < width)
    else:
        tl.store(of_weight + wanted * maps + m, total.to(of_weight.dtype.element_ty), mask=m < width)
