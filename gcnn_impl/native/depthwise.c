/* Depthwise convolution of channels-last maps over the taps of a disc.

   Maps are (B, H, W, M) in memory, float32. A task computes a band of rows of one image, for a group of channels. The
   task goes down the rows, STEP at a time, and keeps the input rows under the taps in a ring buffer: one copy for each
   vector of channels, with the padding around it. In a copy, borders need no special case, taps lie at constant
   distances, and the values under the taps stay in the first-level cache. In a map with a thousand channels, pixels
   would evict each other from this cache. The maps themselves are read and written in long runs.

   The order of every sum does not depend on which thread computes it: gradients of weights are summed per chunk of
   images, and the number of chunks depends on the sizes and on the number of threads alone. */

#include "vector.h"

#define TILE 8        /* output pixels that stay in registers, at most */
#define UNROLL 4      /* pixels that a sum over all pixels takes at once */
#define STEP 2        /* output rows that are computed between two accesses to the maps */
#define RUN 256       /* channels of a group, at most: runs of 1 KiB in memory */
#define CACHE 131072  /* floats that the scratch of a thread should not exceed: half of a usual second-level cache */
#define LARGE 2000000 /* values of an output that bypasses the caches, which saves a quarter of the time from 8 MB */
#define SMALL 1000000 /* multiply-accumulates below which one thread is faster than two: some 10 us */

/* How a convolution is divided into tasks. */
typedef struct {
    long rows, columns;   /* of the output */
    long threads;         /* that work on the convolution */
    long band, bands;     /* rows of a band, and bands of an image: more than one if there are few tasks */
    long vectors, groups; /* vectors of channels in a group, and number of groups */
    long ring, row;       /* rows in the ring, and floats of such a row of one vector */
    long out_row;         /* floats of an output row of one vector */
    long taps;            /* k*k + 1: the taps and the bias */
    long scratch;         /* floats that a thread needs: for every vector the ring, STEP output rows, and weights */
    long chunks;          /* of images and bands, whose gradients are summed separately */
} plan;

static plan make_plan(long B, long H, long W, long M, long k, long padding, long threads) {
    plan p;
    p.rows = H + 2 * padding - k + 1, p.columns = W + 2 * padding - k + 1;
    p.threads = B * p.rows * p.columns * M * k * k < SMALL ? 1 : threads;
    p.ring = k + STEP - 1, p.row = (p.columns + k - 1 + TILE) * LANES;
    p.out_row = ceil_div(p.columns, TILE) * TILE * LANES, p.taps = k * k + 1;
    long floats = p.ring * p.row + STEP * p.out_row + p.taps * LANES;
    p.vectors = MIN(MIN(MAX(CACHE / floats, 1), RUN / LANES), ceil_div(M, LANES));
    p.groups = ceil_div(M, p.vectors * LANES);
    p.band = ceil_div(p.rows, MIN(ceil_div(p.threads, B * p.groups), p.rows)), p.bands = ceil_div(p.rows, p.band);
    p.scratch = p.vectors * floats;
    p.chunks = MIN(B * p.bands, ceil_div(2 * p.threads, p.groups));
    return p;
}

/* Floats of scratch, and of partial sums for gradients. */
void gcnn_depthwise_memory(long B, long H, long W, long M, long k, long padding, long threads, long *floats) {
    plan p = make_plan(B, H, W, M, k, padding, threads);
    floats[0] = p.threads * p.scratch, floats[1] = p.chunks * M * p.taps;
}

/* A row of taps has 2 * half_width + 1 columns, in a disc i*i + j*j <= r*r or in a square. Square roots of squares are
   exact. */
INLINE long half_width(long row, long radius, int disc) {
    return disc ? (long)__builtin_sqrt((double)(radius * radius - row * row)) : radius;
}

/* Copy a row of an image (H, W, M), split into vectors `stride` floats apart; zeros if the image has no such row. */
static void split_row(const float *x, long H, long W, long M, long channels, long row, float *to, long stride) {
    if (row < 0 || row >= H) {
        for (long c = 0; c < channels; c += LANES) memset(to + c / LANES * stride, 0, W * LANES * sizeof(float));
        return;
    }
    const float *pixel = x + row * W * M;
    long full = channels / LANES;
    for (long c = 0; c < W; c++, pixel += M, to += LANES) {
        for (long v = 0; v < full; v++) store(to + v * stride, load(pixel + v * LANES));
        for (long i = full * LANES; i < channels; i++) to[full * stride + i % LANES] = pixel[i];
    }
}

/* The inverse of split_row, into a row (W, M); rectified if `relu`; with a row of a residual, relu(x + residual). */
INLINE void join(const float *x, long stride, long W, long M, long channels, const float *residual, int relu, float *to,
                 int streaming) {
    long full = channels / LANES, rest = channels % LANES;
    for (long c = 0; c < W; c++, x += LANES, to += M) {
        for (long v = 0; v <= full; v++) {
            long lanes = v < full ? LANES : rest;
            if (!lanes) break;
            vec y = load(x + v * stride);
            if (relu) y = rectify(y);
            if (residual) {
                const float *added = residual + c * M + v * LANES;
                y = rectify(y + (v < full ? load(added) : load_part(added, lanes)));
            }
            if (v == full) store_part(to + v * LANES, y, lanes);
            else if (streaming) stream(to + v * LANES, y);
            else store(to + v * LANES, y);
        }
    }
}

/* join, compiled separately for each case. */
static void join_row(const float *x, long stride, long W, long M, long channels, const float *residual, int relu,
                     float *to, int streaming) {
    if (residual && relu) join(x, stride, W, M, channels, residual, 1, to, streaming);
    else if (residual) join(x, stride, W, M, channels, residual, 0, to, streaming);
    else if (relu) join(x, stride, W, M, channels, 0, 1, to, streaming);
    else join(x, stride, W, M, channels, 0, 0, to, streaming);
}

/* acc[p] += sum over j of w[j] * x[p + j] */
INLINE void row_of_taps(vec *acc, const float *x, const float *w, int width, int tile) {
#pragma GCC unroll 16
    for (int j = 0; j < width; j++) {
        vec wj = load(w + j * LANES);
#pragma GCC unroll 16
        for (int p = 0; p < tile; p++) acc[p] += wj * load(x + (p + j) * LANES);
    }
}

/* An output row of one vector of channels, from its ring x; `first` is the slot of the top row under the taps. */
INLINE void convolve_row(const float *x, const plan *p, long first, const float *w, long k, int disc, float *y,
                         int tile) {
    long radius = k / 2;
    vec bias = load(w + k * k * LANES);
    for (long column = 0; column < p->columns; column += tile) {
        vec acc[TILE];
#pragma GCC unroll 16
        for (int i = 0; i < tile; i++) acc[i] = bias;
        long slot = first;
#pragma GCC unroll 8
        for (long i = 0; i < k; i++, slot = slot + 1 == p->ring ? 0 : slot + 1) {
            long half = half_width(i - radius, radius, disc);
            const float *under = x + slot * p->row + (column + radius - half) * LANES;
            const float *taps = w + (i * k + radius - half) * LANES;
            switch (half) {
            case 0: row_of_taps(acc, under, taps, 1, tile); break;
            case 1: row_of_taps(acc, under, taps, 3, tile); break;
            case 2: row_of_taps(acc, under, taps, 5, tile); break;
            case 3: row_of_taps(acc, under, taps, 7, tile); break;
            default:
                for (long j = 0; j <= 2 * half; j++) row_of_taps(acc, under + j * LANES, taps + j * LANES, 1, tile);
            }
        }
#pragma GCC unroll 16
        for (int i = 0; i < tile; i++) store(y + (column + i) * LANES, acc[i]);
    }
}

/* convolve_row, compiled separately for the usual values of k and disc. */
static void convolve_any_row(const float *x, const plan *p, long first, const float *w, long k, int disc, float *y) {
    /* tiles of seven where seven divides the width and eight does not */
#define ROW(K, DISC)                                                              \
    if (k == K && disc == DISC && p->columns % 8 && p->columns % 7 == 0)          \
        return convolve_row(x, p, first, w, K, DISC, y, 7);                       \
    if (k == K && disc == DISC) return convolve_row(x, p, first, w, K, DISC, y, 8)
    ROW(3, 1);
    ROW(5, 1);
    ROW(7, 1);
    ROW(3, 0);
    ROW(5, 0);
    ROW(7, 0);
#undef ROW
    convolve_row(x, p, first, w, k, disc, y, 8);
}

/* y[b, i, j, m] = bias[m % C] + sum over taps of x[b, i + row - padding, j + column - padding, m] * w[m, row, column].

   weight (M, k, k) contiguous, read from its end if `flip`; bias may be null; the output has H + 2 * padding - k + 1
   rows. It is rectified if `relu`; with a residual, which is like the output, it is relu(y + residual). scratch: see
   gcnn_depthwise_memory. */
void gcnn_depthwise(const float *x, const float *weight, const float *bias, const float *residual, float *y,
                    float *scratch, long B, long H, long W, long M, long k, long padding, long C, int disc, int flip,
                    int relu, long threads) {
    plan p = make_plan(B, H, W, M, k, padding, threads);
    int streaming = streams(y, B * p.rows * p.columns, M, LARGE);
#pragma omp parallel for num_threads(p.threads) schedule(dynamic)
    for (long task = 0; task < B * p.bands * p.groups; task++) {
        long b = task / (p.bands * p.groups), first = task / p.groups % p.bands * p.band;
        long last = MIN(first + p.band, p.rows), channel = task % p.groups * p.vectors * LANES;
        long channels = MIN(M - channel, p.vectors * LANES);
        float *ring = scratch + omp_get_thread_num() * p.scratch, *out = ring + p.vectors * p.ring * p.row;
        float *w = out + p.vectors * STEP * p.out_row;
        memset(ring, 0, p.vectors * p.ring * p.row * sizeof(float));
        memset(w, 0, p.vectors * p.taps * LANES * sizeof(float));
        for (long m = 0; m < channels; m++) {
            float *to = w + m / LANES * p.taps * LANES + m % LANES;
            const float *from = weight + (channel + m) * k * k;
            for (long t = 0; t < k * k; t++) to[t * LANES] = from[flip ? k * k - 1 - t : t];
            to[k * k * LANES] = bias ? bias[(channel + m) % C] : 0;
        }
        long head = first; /* the next row of the padded image that is not in the ring */
        for (long r = first; r < last; r += STEP) {
            long count = MIN(STEP, last - r);
            for (; head < r + count + k - 1; head++)
                split_row(x + b * H * W * M + channel, H, W, M, channels, head - padding,
                          ring + head % p.ring * p.row + padding * LANES, p.ring * p.row);
            for (long v = 0; v * LANES < channels; v++)
                for (long i = 0; i < count; i++)
                    convolve_any_row(ring + v * p.ring * p.row, &p, (r + i) % p.ring, w + v * p.taps * LANES, k, disc,
                                     out + (v * STEP + i) * p.out_row);
            for (long i = 0; i < count; i++) {
                long at = (b * p.rows + r + i) * p.columns * M + channel;
                join_row(out + i * p.out_row, STEP * p.out_row, p.columns, M, channels, residual ? residual + at : 0,
                         relu, y + at, streaming);
            }
        }
        streamed();
    }
}

/* sums[j] += sum over `count` rows of x[pixel + j] * g[pixel], in `sets` independent sums so that an addition need not
   wait for the previous one. Rows of g end in zeros. */
INLINE void correlate(const float *x, const plan *p, long slot, long offset, const float *g, long count, float *sums,
                      int width, int sets) {
    vec acc[16] = {{0}};
    for (long i = 0; i < count; i++, g += p->out_row, slot = slot + 1 == p->ring ? 0 : slot + 1) {
        const float *under = x + slot * p->row + offset * LANES;
        for (long c = 0; c < p->columns * LANES; c += UNROLL * LANES)
#pragma GCC unroll 16
            for (int u = 0; u < UNROLL; u++) {
                vec gu = load(g + c + u * LANES);
#pragma GCC unroll 16
                for (int j = 0; j < width; j++) acc[u % sets * width + j] += gu * load(under + c + (u + j) * LANES);
            }
    }
#pragma GCC unroll 16
    for (int j = 0; j < width; j++) {
        vec sum = load(sums + j * LANES);
#pragma GCC unroll 16
        for (int s = 0; s < sets; s++) sum += acc[s * width + j];
        store(sums + j * LANES, sum);
    }
}

/* Add the products of `count` rows to the sums (k*k + 1) of one vector of channels. */
static void correlate_rows(const float *x, const plan *p, long first, const float *g, long count, long k, int disc,
                           float *sums) {
    long radius = k / 2;
    for (long i = 0; i < k; i++) {
        long half = half_width(i - radius, radius, disc), slot = (first + i) % p->ring, offset = radius - half;
        float *s = sums + (i * k + offset) * LANES;
        switch (half) {
        case 0: correlate(x, p, slot, offset, g, count, s, 1, 4); break;
        case 1: correlate(x, p, slot, offset, g, count, s, 3, 4); break;
        case 2: correlate(x, p, slot, offset, g, count, s, 5, 2); break;
        case 3: correlate(x, p, slot, offset, g, count, s, 7, 2); break;
        default:
            for (long j = 0; j <= 2 * half; j++) correlate(x, p, slot, offset + j, g, count, s + j * LANES, 1, 4);
        }
    }
    vec total = load(sums + k * k * LANES);
    for (long i = 0; i < count; i++)
        for (long c = 0; c < p->columns; c++) total += load(g + i * p->out_row + c * LANES);
    store(sums + k * k * LANES, total);
}

/* Gradients of weight (M, k, k), zero outside the taps, and of bias (M) unless null, from g, the output's gradient.

   scratch, partial: see gcnn_depthwise_memory. */
void gcnn_depthwise_weight(const float *x, const float *g, float *grad_weight, float *grad_bias, float *scratch,
                           float *partial, long B, long H, long W, long M, long k, long padding, int disc,
                           long threads) {
    plan p = make_plan(B, H, W, M, k, padding, threads);
#pragma omp parallel num_threads(p.threads)
    {
#pragma omp for schedule(dynamic)
        for (long task = 0; task < p.chunks * p.groups; task++) {
            long chunk = task / p.groups, channel = task % p.groups * p.vectors * LANES;
            long channels = MIN(M - channel, p.vectors * LANES);
            float *ring = scratch + omp_get_thread_num() * p.scratch, *grad = ring + p.vectors * p.ring * p.row;
            float *sums = grad + p.vectors * STEP * p.out_row;
            memset(ring, 0, p.scratch * sizeof(float));
            for (long unit = chunk * B * p.bands / p.chunks; unit < (chunk + 1) * B * p.bands / p.chunks; unit++) {
                long b = unit / p.bands, first = unit % p.bands * p.band, last = MIN(first + p.band, p.rows);
                long head = first;
                for (long r = first; r < last; r += STEP) {
                    long count = MIN(STEP, last - r);
                    for (; head < r + count + k - 1; head++)
                        split_row(x + b * H * W * M + channel, H, W, M, channels, head - padding,
                                  ring + head % p.ring * p.row + padding * LANES, p.ring * p.row);
                    for (long i = 0; i < count; i++)
                        split_row(g + b * p.rows * p.columns * M + channel, p.rows, p.columns, M, channels, r + i,
                                  grad + i * p.out_row, STEP * p.out_row);
                    for (long v = 0; v * LANES < channels; v++)
                        correlate_rows(ring + v * p.ring * p.row, &p, r, grad + v * STEP * p.out_row, count, k, disc,
                                       sums + v * p.taps * LANES);
                }
            }
            for (long m = 0; m < channels; m++)
                for (long t = 0; t < p.taps; t++)
                    partial[(chunk * M + channel + m) * p.taps + t] =
                        sums[(m / LANES * p.taps + t) * LANES + m % LANES];
        }
#pragma omp for schedule(static)
        for (long m = 0; m < M; m++)
            for (long t = 0; t < p.taps; t++) {
                float sum = 0;
                for (long chunk = 0; chunk < p.chunks; chunk++) sum += partial[(chunk * M + m) * p.taps + t];
                if (t < k * k)
                    grad_weight[m * k * k + t] = sum;
                else if (grad_bias)
                    grad_bias[m] = sum;
            }
    }
}
