# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators, allow-untyped-calls
"""SIREN kernel nets in Triton: hidden layers are computed anew for every place, in blocks of places and of values.

Shapes: P places, N points, d coordinates, K hidden features, F = C_o·C_i values at a place. A place is an output
element a, a tap t and an input element j (one where the kernel is not joint); p = (a·T + t)·J + j. Products are exact
in the dtype of the parameters (``ieee``): TF32 would be too coarse for sines of large arguments.

The backward pass has one program for each pair of a share of the places and a block of values. It writes partial sums.
The program that finishes last, as counters tell, adds them up in a fixed order; a run therefore repeats bit by bit.
"""

import triton
import triton.language as tl

# Sizes that must not have kernels compiled anew: a compilation takes seconds.
SIZES = ["P", "N", "F", "stride_a", "stride_j", "stride_t", "T", "J", "C_o", "C_i", "count", "share"]


@triton.jit
def _sine(x, QUARTERS: tl.constexpr):
    """Return sin(x + QUARTERS · π/2); in single precision to 1e-7 for |x| < 8192, with a tenth of libdevice's code.

    The nearest multiple of π/2 is subtracted in three parts; polynomials as in Cephes and in ``native/siren.c``.
    """
    if x.dtype == tl.float64:
        y = tl.sin(x) if QUARTERS == 0 else tl.cos(x)
    else:
        n = tl.floor(x * 0.636619772367581 + 0.5)
        r = tl.fma(n, -1.5703125, x)
        r = tl.fma(n, -4.837512969970703125e-4, r)
        r = tl.fma(n, -7.54978995489188216e-8, r)
        z = r * r
        s = r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 + z * -1.9515295891e-4))
        c = 4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5)
        c = 1 - 0.5 * z + z * z * c
        quarter = n.to(tl.int32) + QUARTERS
        y = tl.where(quarter & 1 != 0, c, s)
        y = tl.where(quarter & 2 != 0, -y, y)
    return y


@triton.jit
def _points(index, taps, p, P, N, stride_a, stride_j, stride_t, T, J, HAS_TAPS: tl.constexpr):
    """Return the point of each place, and whether there is one."""
    inside = p < P
    a, t, j = p // (T * J), p // J % T, p % J
    if HAS_TAPS:
        t = tl.load(taps + t, inside, 0)
    point = tl.load(index + a * stride_a + j * stride_j + t * stride_t, inside, N)
    return point, inside & (point >= 0) & (point < N)


@triton.jit
def _first(coordinates, point, found, w_first, b_first, k, omega: tl.constexpr, D: tl.constexpr, K: tl.constexpr):
    """Return the arguments of the first layer's sines, ω (w x + b), for the places and the features k."""
    inside = k < K
    z = tl.load(b_first + k, inside, 0)[None, :] + tl.zeros((point.shape[0], 1), b_first.dtype.element_ty)
    for i in tl.static_range(D):
        x = tl.load(coordinates + point * D + i, found, 0)
        z += x[:, None] * tl.load(w_first + k * D + i, inside, 0)[None, :]
    return z * omega


@triton.jit
def _second(
    coordinates,
    point,
    found,
    w_first,
    b_first,
    w_hidden,
    b_hidden,
    j,
    omega: tl.constexpr,
    D: tl.constexpr,
    K: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    """Return the arguments of the second layer's sines for the places and the features j."""
    z = tl.zeros((point.shape[0], BLOCK_K), b_hidden.dtype.element_ty)
    for start in range(0, K, BLOCK_K):
        k = start + tl.arange(0, BLOCK_K)
        sine = _sine(_first(coordinates, point, found, w_first, b_first, k, omega, D, K), 0)
        w = tl.load(w_hidden + j[None, :] * K + k[:, None], (j < K)[None, :] & (k < K)[:, None], 0)
        z = tl.dot(sine, w, z, input_precision="ieee", out_dtype=z.dtype)
    return (z + tl.load(b_hidden + j, j < K, 0)[None, :]) * omega


@triton.jit
def _value_offsets(p, f, P, F, T, J, C_o, C_i):
    """Return where the values (A, C_o, T·J, C_i) of the places and the features lie, and which of them exist."""
    rows, columns = p.to(tl.int64), f.to(tl.int64)
    of_place = rows // (T * J) * C_o * T * J * C_i + rows % (T * J) * C_i
    of_value = columns // C_i * T * J * C_i + columns % C_i
    return of_place[:, None] + of_value[None, :], (p < P)[:, None] & (f < F)[None, :]


@triton.jit(do_not_specialize=SIZES)
def forward(
    coordinates,
    weights,
    index,
    taps,
    w_first,
    b_first,
    w_hidden,
    b_hidden,
    w_last,
    b_last,
    out,
    counters,
    P,
    N,
    F,
    stride_a,
    stride_j,
    stride_t,
    T,
    J,
    C_o,
    C_i,
    count,
    omega: tl.constexpr,
    D: tl.constexpr,
    K: tl.constexpr,
    HAS_TAPS: tl.constexpr,
    BY_PLACE: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_F: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    """Write the values, and zeros into the counters of the backward pass. Grid: blocks of places, blocks of values."""
    p = tl.program_id(0) * BLOCK_P + tl.arange(0, BLOCK_P)
    f = tl.program_id(1) * BLOCK_F + tl.arange(0, BLOCK_F)
    if (tl.program_id(0) == 0) & (tl.program_id(1) == 0):
        for start in range(0, count, BLOCK_F):
            c = start + tl.arange(0, BLOCK_F)
            tl.store(counters + c, tl.zeros((BLOCK_F,), tl.int32), c < count)
    point, found = _points(index, taps, p, P, N, stride_a, stride_j, stride_t, T, J, HAS_TAPS)
    values = tl.zeros((BLOCK_P, BLOCK_F), b_last.dtype.element_ty)
    for start in range(0, K, BLOCK_K):
        j = start + tl.arange(0, BLOCK_K)
        z = _second(coordinates, point, found, w_first, b_first, w_hidden, b_hidden, j, omega, D, K, BLOCK_K)
        w = tl.load(w_last + f[None, :].to(tl.int64) * K + j[:, None], (f < F)[None, :] & (j < K)[:, None], 0)
        values = tl.dot(_sine(z, 0), w, values, input_precision="ieee", out_dtype=values.dtype)
    values = (values + tl.load(b_last + f, f < F, 0)[None, :]) * tl.load(weights + point, found, 0)[:, None]
    values = tl.where(found[:, None], values, 0)
    offsets, mask = _value_offsets(p, f, P, F, T, J, C_o, C_i)
    if BY_PLACE:  # neighbouring threads write neighbouring addresses
        tl.store(out + tl.trans(offsets), tl.trans(values), tl.trans(mask))
    else:
        tl.store(out + offsets, values, mask)


@triton.jit
def _add_parts(parts, total, size, stride, COUNT, BLOCK: tl.constexpr):
    """Write the sum of the arrays of ``size`` numbers that lie ``stride`` apart, in their order."""
    for start in range(0, size, BLOCK):
        i = start + tl.arange(0, BLOCK)
        found = tl.zeros((BLOCK,), total.dtype.element_ty)
        for part in range(COUNT):
            found += tl.load(parts + part * stride + i, i < size, 0, cache_modifier=".cg")
        tl.store(total + i, found, i < size)


@triton.jit(do_not_specialize=SIZES)
def backward(
    gradient,
    coordinates,
    weights,
    index,
    taps,
    w_first,
    b_first,
    w_hidden,
    b_hidden,
    w_last,
    g_w_first,
    g_b_first,
    g_w_hidden,
    g_b_hidden,
    g_w_last,
    g_b_last,
    features,
    lasts,
    hiddens,
    counters,
    P,
    N,
    F,
    stride_a,
    stride_j,
    stride_t,
    T,
    J,
    C_o,
    C_i,
    share,
    omega: tl.constexpr,
    D: tl.constexpr,
    D_PADDED: tl.constexpr,
    K: tl.constexpr,
    HAS_TAPS: tl.constexpr,
    BY_PLACE: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_F: tl.constexpr,
    BLOCK_K: tl.constexpr,
    BLOCK_SUM: tl.constexpr,
):
    """Write the gradients of the six parameters. Grid: shares of the places, blocks of values.

    ``features`` (blocks of values, P, K), ``lasts`` (shares, F·(K + 1)) and ``hiddens`` (shares, K·(K + D + 2)) hold
    partial sums. ``counters`` holds zeros, and holds zeros again in the end: one for each block of values, one for each
    share of the places, and one for the shares that are done.
    """
    part, block = tl.program_id(0), tl.program_id(1)
    shares, blocks = tl.num_programs(0), tl.num_programs(1)
    first, end = part * share, tl.minimum(part * share + share, P)
    dtype: tl.constexpr = w_last.dtype.element_ty
    f = block * BLOCK_F + tl.arange(0, BLOCK_F)
    lasts_size = F.to(tl.int64) * (K + 1)
    last = lasts + part * lasts_size
    features_size = P.to(tl.int64) * K

    for start in range(0, K, BLOCK_K):
        j = start + tl.arange(0, BLOCK_K)
        mask_fj = (f < F)[:, None] & (j < K)[None, :]
        offsets_fj = f[:, None].to(tl.int64) * K + j[None, :]
        w = tl.load(w_last + offsets_fj, mask_fj, 0)
        of_w, of_b = tl.zeros((BLOCK_F, BLOCK_K), dtype), tl.zeros((BLOCK_F,), dtype)
        for at in range(first, end, BLOCK_P):
            p = at + tl.arange(0, BLOCK_P)
            point, found = _points(index, taps, p, end, N, stride_a, stride_j, stride_t, T, J, HAS_TAPS)
            offsets, mask = _value_offsets(p, f, P, F, T, J, C_o, C_i)
            mask = mask & found[:, None]
            if BY_PLACE:
                g = tl.trans(tl.load(gradient + tl.trans(offsets), tl.trans(mask), 0))
            else:
                g = tl.load(gradient + offsets, mask, 0)
            g *= tl.load(weights + point, found, 0)[:, None]  # (places, values)
            z = _second(coordinates, point, found, w_first, b_first, w_hidden, b_hidden, j, omega, D, K, BLOCK_K)
            of_w = tl.dot(tl.trans(g), _sine(z, 0), of_w, input_precision="ieee", out_dtype=dtype)
            of_b += tl.sum(g, 0)
            of_features = tl.dot(g, w, input_precision="ieee", out_dtype=dtype)
            to = features + block * features_size + p[:, None].to(tl.int64) * K + j[None, :]
            tl.store(to, of_features, (p < end)[:, None] & (j < K)[None, :])
        tl.store(last + offsets_fj, of_w, mask_fj)
        tl.store(last + F.to(tl.int64) * K + f, of_b, (f < F) & (start == 0))

    tl.debug_barrier()  # all threads have written before the counter says so
    if tl.atomic_add(counters + block, 1, sem="acq_rel") == shares - 1:
        tl.store(counters + block, 0)
        values = tl.minimum(BLOCK_F, F - block * BLOCK_F)
        at_w, at_b = block * BLOCK_F * K, F.to(tl.int64) * K + block * BLOCK_F
        _add_parts(lasts + at_w, g_w_last + at_w, values * K, lasts_size, shares, BLOCK_SUM)
        _add_parts(lasts + at_b, g_b_last + block * BLOCK_F, values, lasts_size, shares, BLOCK_SUM)

    if tl.atomic_add(counters + blocks + part, 1, sem="acq_rel") == blocks - 1:
        tl.store(counters + blocks + part, 0)
        # The gradients of the second layer's arguments, of the places of this share; they replace features[0].
        for at in range(first, end, BLOCK_P):
            p = at + tl.arange(0, BLOCK_P)
            point, found = _points(index, taps, p, end, N, stride_a, stride_j, stride_t, T, J, HAS_TAPS)
            for start in range(0, K, BLOCK_K):
                j = start + tl.arange(0, BLOCK_K)
                mask = (p < end)[:, None] & (j < K)[None, :]
                to = features + p[:, None].to(tl.int64) * K + j[None, :]
                total = tl.zeros((BLOCK_P, BLOCK_K), dtype)
                for other in range(blocks):
                    total += tl.load(to + other * features_size, mask, 0, cache_modifier=".cg")
                z = _second(coordinates, point, found, w_first, b_first, w_hidden, b_hidden, j, omega, D, K, BLOCK_K)
                tl.store(to, total * _sine(z, 1) * omega, mask)
        tl.debug_barrier()  # all threads of this program have written

        hiddens_size: tl.constexpr = K * (K + D + 2)
        to_w_hidden = hiddens + part * hiddens_size
        to_b_hidden = to_w_hidden + K * K
        to_w_first, to_b_first = to_b_hidden + K, to_b_hidden + K + K * D
        for start_k in range(0, K, BLOCK_K):
            k = start_k + tl.arange(0, BLOCK_K)
            for start_j in range(0, K, BLOCK_K):
                j = start_j + tl.arange(0, BLOCK_K)
                of_w_hidden, of_b_hidden = tl.zeros((BLOCK_K, BLOCK_K), dtype), tl.zeros((BLOCK_K,), dtype)
                for at in range(first, end, BLOCK_P):
                    p = at + tl.arange(0, BLOCK_P)
                    point, found = _points(index, taps, p, end, N, stride_a, stride_j, stride_t, T, J, HAS_TAPS)
                    mask = (p < end)[:, None] & (j < K)[None, :]
                    of_second = tl.load(
                        features + p[:, None].to(tl.int64) * K + j[None, :], mask, 0, cache_modifier=".cg"
                    )
                    sine = _sine(_first(coordinates, point, found, w_first, b_first, k, omega, D, K), 0)
                    of_w_hidden = tl.dot(
                        tl.trans(of_second), sine, of_w_hidden, input_precision="ieee", out_dtype=dtype
                    )
                    of_b_hidden += tl.sum(of_second, 0)
                mask_jk = (j < K)[:, None] & (k < K)[None, :]
                tl.store(to_w_hidden + j[:, None] * K + k[None, :], of_w_hidden, mask_jk)
                tl.store(to_b_hidden + j, of_b_hidden, (j < K) & (start_k == 0))
            of_w_first, of_b_first = tl.zeros((BLOCK_K, D_PADDED), dtype), tl.zeros((BLOCK_K,), dtype)
            i = tl.arange(0, D_PADDED)
            for at in range(first, end, BLOCK_P):
                p = at + tl.arange(0, BLOCK_P)
                point, found = _points(index, taps, p, end, N, stride_a, stride_j, stride_t, T, J, HAS_TAPS)
                of_sine = tl.zeros((BLOCK_P, BLOCK_K), dtype)
                for start_j in range(0, K, BLOCK_K):
                    j = start_j + tl.arange(0, BLOCK_K)
                    mask = (p < end)[:, None] & (j < K)[None, :]
                    of_second = tl.load(
                        features + p[:, None].to(tl.int64) * K + j[None, :], mask, 0, cache_modifier=".cg"
                    )
                    w = tl.load(w_hidden + j[:, None] * K + k[None, :], (j < K)[:, None] & (k < K)[None, :], 0)
                    of_sine = tl.dot(of_second, w, of_sine, input_precision="ieee", out_dtype=dtype)
                of_first = _first(coordinates, point, found, w_first, b_first, k, omega, D, K)
                of_first = of_sine * _sine(of_first, 1) * omega
                of_b_first += tl.sum(of_first, 0)
                if D > 0:
                    x = tl.load(coordinates + point[:, None] * D + i[None, :], found[:, None] & (i < D)[None, :], 0)
                    of_w_first = tl.dot(tl.trans(of_first), x, of_w_first, input_precision="ieee", out_dtype=dtype)
            tl.store(to_b_first + k, of_b_first, k < K)
            if D > 0:
                tl.store(to_w_first + k[:, None] * D + i[None, :], of_w_first, (k < K)[:, None] & (i < D)[None, :])

        tl.debug_barrier()
        if tl.atomic_add(counters + blocks + shares, 1, sem="acq_rel") == shares - 1:
            tl.store(counters + blocks + shares, 0)
            at_w_first, at_b_first = K * K + K, K * K + K + K * D
            _add_parts(hiddens, g_w_hidden, K * K, hiddens_size, shares, BLOCK_SUM)
            _add_parts(hiddens + K * K, g_b_hidden, K, hiddens_size, shares, BLOCK_SUM)
            _add_parts(hiddens + at_w_first, g_w_first, K * D, hiddens_size, shares, BLOCK_SUM)
            _add_parts(hiddens + at_b_first, g_b_first, K, hiddens_size, shares, BLOCK_SUM)
