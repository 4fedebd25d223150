/* Batch norm with the ReLU and the residual that follow it: maps are rows of C channels, (R, C) in memory, float32.

   The map is read once for its statistics, and once more when it is normalised. Backward reads the map and the gradient
   twice; the ReLU's mask is computed anew. Where C is smaller than a vector, as many rows as fit are one wide row.

   Statistics are exact to rounding: those of a block that stays in the first-level cache are computed in two passes, and
   blocks are merged in double precision (Chan, Golub, LeVeque, 1979). The order of every sum depends on the sizes and on
   the number of threads alone. */

#include "norm.h"

#include <math.h>

#define BLOCK 4096    /* values of a block */
#define LARGE 2000000 /* values of an output that bypasses the caches */
#define SMALL 100000  /* values below which one thread is faster than two */

typedef struct {
    long folded, width; /* rows in a wide row, and values of a wide row */
    long rows, block;   /* wide rows, without the last one if it is shorter, and wide rows of a block */
    long rest;          /* values of the last, shorter wide row */
    long threads;
} plan;

static plan make_plan(long R, long C, long threads) {
    plan p;
    p.folded = MAX(LANES / C, 1), p.width = p.folded * C;
    p.rows = R / p.folded, p.rest = R % p.folded * C;
    p.block = MAX(BLOCK / p.width, 1);
    p.threads = R * C < SMALL ? 1 : MIN(threads, MAX(p.rows / p.block, 1));
    return p;
}

/* Doubles of scratch, for each thread two sums of each place of a wide row; and floats, for five values of each place. */
void gcnn_norm_memory(long R, long C, long threads, long *sizes) {
    plan p = make_plan(R, C, threads);
    sizes[0] = p.threads * 2 * p.width, sizes[1] = 5 * p.width;
}

/* Merge the mean and the sum of squared deviations of `count` values into those of `seen` values. */
static void merge(double *mean, double *square, double seen, double block_mean, double block_square, double count) {
    double total = seen + count, delta = block_mean - *mean;
    *mean += delta * count / total;
    *square += block_square + delta * delta * seen * count / total;
}

/* Mean and sum of squared deviations of each place of the wide rows first to last. */
static void chunk_statistics(const float *x, const plan *p, long first, long last, double *mean, double *square) {
    memset(mean, 0, p->width * sizeof(double)), memset(square, 0, p->width * sizeof(double));
    for (long begin = first; begin < last; begin += p->block) {
        long count = MIN(p->block, last - begin);
        for (long c = 0; c < p->width; c += LANES) {
            long lanes = MIN(p->width - c, LANES);
            const float *at = x + begin * p->width + c;
            vec sums[4] = {{0}}, squares[4] = {{0}};
            for (long r = 0; r < count; r++) sums[r % 4] += load_any(at + r * p->width, lanes);
            vec centre = (sums[0] + sums[1] + sums[2] + sums[3]) / (float)count;
            for (long r = 0; r < count; r++) {
                vec d = load_any(at + r * p->width, lanes) - centre;
                squares[r % 4] += d * d;
            }
            vec total = squares[0] + squares[1] + squares[2] + squares[3];
            for (long l = 0; l < lanes; l++)
                merge(mean + c + l, square + c + l, begin - first, centre[l], total[l], count);
        }
    }
}

/* Mean, and sum of squared deviations, of each channel of x (R, C). */
static void statistics(const float *x, const plan *plan_, float *mean, double *square, double *scratch, long R, long C) {
    plan p = *plan_;
#pragma omp parallel for num_threads(p.threads) schedule(static, 1)
    for (long chunk = 0; chunk < p.threads; chunk++)
        chunk_statistics(x, &p, chunk * p.rows / p.threads, (chunk + 1) * p.rows / p.threads,
                         scratch + 2 * chunk * p.width, scratch + (2 * chunk + 1) * p.width);
    for (long c = 0; c < C; c++) {
        double m = 0, s = 0, seen = 0;
        for (long chunk = 0; chunk < p.threads; chunk++) {
            double count = (chunk + 1) * p.rows / p.threads - chunk * p.rows / p.threads;
            for (long fold = 0; count && fold < p.folded; fold++, seen += count) {
                const double *found = scratch + 2 * chunk * p.width + fold * C + c;
                merge(&m, &s, seen, found[0], found[p.width], count);
            }
        }
        for (const float *v = x + p.rows * p.width + c; v < x + R * C; v += C, seen++) merge(&m, &s, seen, *v, 0, 1);
        mean[c] = m, square[c] = s;
    }
}

INLINE void normalise_row(const float *x, const float *a, const float *b, const float *residual, int relu, float *y,
                          long width, int streaming) {
    for (long c = 0; c < width; c += LANES) {
        long lanes = MIN(width - c, LANES);
        vec v = load_any(x + c, lanes) * load_any(a + c, lanes) + load_any(b + c, lanes);
        if (relu) v = rectify(v);
        if (residual) v = rectify(v + load_any(residual + c, lanes));
        store_any(y + c, v, lanes, streaming);
    }
}

/* y (R, C) = a x + b, rectified if `relu`; with a residual, relu(y + residual). a and b have a value for each place. */
static void normalise(const float *x, const float *a, const float *b, const float *residual, float *y, const plan *p,
                      int relu) {
    int streaming = streams(y, p->rows, p->width, LARGE);
#define ROW(RELU, RESIDUAL) normalise_row(x + at, a, b, RESIDUAL, RELU, y + at, p->width, streaming)
#pragma omp parallel for num_threads(p->threads) schedule(static, 1)
    for (long chunk = 0; chunk < p->threads; chunk++) {
        for (long r = chunk * p->rows / p->threads; r < (chunk + 1) * p->rows / p->threads; r++) {
            long at = r * p->width;
            if (residual && relu) ROW(1, residual + at);
            else if (residual) ROW(0, residual + at);
            else if (relu) ROW(1, 0);
            else ROW(0, 0);
        }
        streamed();
    }
#undef ROW
    long at = p->rows * p->width;
    normalise_row(x + at, a, b, residual ? residual + at : 0, relu, y + at, p->rest, 0);
}

void gcnn_norm_scales(const float *x, const float *weight, const float *bias, float *running_mean, float *running_var,
                 float *mean, float *scale, float *a, float *b, double *scratch, int of_batch, double momentum,
                 double eps, long R, long C, long threads) {
    plan p = make_plan(R, C, threads);
    double *square = scratch; /* only read where a channel's value has been written */
    if (of_batch) statistics(x, &p, mean, square, scratch, R, C);
    for (long c = 0; c < C; c++) {
        double variance = of_batch ? square[c] / R : running_var[c];
        if (of_batch && running_mean) {
            running_mean[c] = (1 - momentum) * running_mean[c] + momentum * mean[c];
            running_var[c] = (1 - momentum) * running_var[c] + momentum * square[c] / (R - 1);
        }
        if (!of_batch) mean[c] = running_mean[c];
        scale[c] = 1 / sqrt(variance + eps);
        a[c] = weight ? weight[c] * scale[c] : scale[c], b[c] = (bias ? bias[c] : 0) - a[c] * mean[c];
    }
}

/* Normalise x (R, C) as torch's batch_norm, and return mean and 1 / deviation of each channel; see gcnn_norm_scales. weight,
   bias and residual may be null. */
void gcnn_batch_norm(const float *x, const float *weight, const float *bias, float *running_mean, float *running_var,
                     const float *residual, float *y, float *mean, float *scale, double *scratch, float *wide,
                     int of_batch, double momentum, double eps, int relu, long R, long C, long threads) {
    plan p = make_plan(R, C, threads);
    float *a = wide, *b = wide + p.width;
    gcnn_norm_scales(x, weight, bias, running_mean, running_var, mean, scale, a, b, scratch, of_batch, momentum, eps, R, C,
                threads);
    repeat(a, C, p.width), repeat(b, C, p.width);
    normalise(x, a, b, residual, y, &p, relu);
}

/* The gradient of the normalised map: that of the result, where nothing was rectified away. */
INLINE vec masked(vec g, vec x, vec a, vec b, int relu) { return relu ? choose(g, ~(mask)(x * a + b <= 0)) : g; }

/* Values of each place of a wide row. */
enum { MEAN, A, B, SLOPE, SHIFT };
#define PLACES(value) (wide + (value) * p->width)

/* Sums over `count` wide rows of `width` values of g and g (x - mean); with y, g is that of the sum with the residual,
   whose gradient is written. */
INLINE void sum_rows(const float *g, const float *x, const float *y, const float *wide, int relu, float *of_residual,
                     double *sums, const plan *p, long width, long count) {
    for (long c = 0; c < width; c += LANES) {
        long lanes = MIN(width - c, LANES);
        vec mean = load_any(PLACES(MEAN) + c, lanes), a = load_any(PLACES(A) + c, lanes);
        vec b = load_any(PLACES(B) + c, lanes), total[2] = {{0}}, product[2] = {{0}};
        for (long r = 0; r < count; r++) {
            long at = r * p->width + c;
            vec xr = load_any(x + at, lanes), gr = load_any(g + at, lanes);
            if (y) {
                gr = choose(gr, ~(mask)(load_any(y + at, lanes) <= 0));
                store_any(of_residual + at, gr, lanes, 0);
            }
            gr = masked(gr, xr, a, b, relu);
            total[r % 2] += gr, product[r % 2] += gr * (xr - mean);
        }
        total[0] += total[1], product[0] += product[1];
        for (long l = 0; l < lanes; l++) sums[c + l] += total[0][l], sums[p->width + c + l] += product[0][l];
    }
}

/* The sums of all chunks of rows, in scratch. */
static void all_sums(const float *g, const float *x, const float *y, const float *wide, int relu, float *of_residual,
                     double *scratch, const plan *p) {
    memset(scratch, 0, p->threads * 2 * p->width * sizeof(double));
#define ROWS(RELU, Y, TO) sum_rows(g + at, x + at, Y, wide, RELU, TO, to, p, p->width, count)
#pragma omp parallel for num_threads(p->threads) schedule(static, 1)
    for (long chunk = 0; chunk < p->threads; chunk++) {
        long last = (chunk + 1) * p->rows / p->threads;
        double *to = scratch + 2 * chunk * p->width;
        for (long r = chunk * p->rows / p->threads; r < last; r += p->block) {
            long at = r * p->width, count = MIN(p->block, last - r);
            if (y && relu) ROWS(1, y + at, of_residual + at);
            else if (y) ROWS(0, y + at, of_residual + at);
            else if (relu) ROWS(1, 0, 0);
            else ROWS(0, 0, 0);
        }
    }
#undef ROWS
    long at = p->rows * p->width;
    float *rest = y ? of_residual + at : 0;
    if (p->rest) sum_rows(g + at, x + at, y ? y + at : 0, wide, relu, rest, scratch, p, p->rest, 1);
}

INLINE void gradient_row(const float *g, const float *x, const float *wide, const plan *p, int relu, float *of_x,
                         long width, int streaming) {
    for (long c = 0; c < width; c += LANES) {
        long lanes = MIN(width - c, LANES);
        vec xc = load_any(x + c, lanes), a = load_any(PLACES(A) + c, lanes), b = load_any(PLACES(B) + c, lanes);
        vec gc = masked(load_any(g + c, lanes), xc, a, b, relu), mean = load_any(PLACES(MEAN) + c, lanes);
        vec slope = load_any(PLACES(SLOPE) + c, lanes), shift = load_any(PLACES(SHIFT) + c, lanes);
        store_any(of_x + c, a * gc + slope * (xc - mean) + shift, lanes, streaming);
    }
}

/* of_x (R, C) = a g + slope (x - mean) + shift, where g is the gradient of the normalised map, masked here if `relu`. */
static void gradients(const float *g, const float *x, const float *wide, const plan *p, int relu, float *of_x) {
    int streaming = streams(of_x, p->rows, p->width, LARGE);
#pragma omp parallel for num_threads(p->threads) schedule(static, 1)
    for (long chunk = 0; chunk < p->threads; chunk++) {
        for (long r = chunk * p->rows / p->threads; r < (chunk + 1) * p->rows / p->threads; r++) {
            long at = r * p->width;
            if (relu) gradient_row(g + at, x + at, wide, p, 1, of_x + at, p->width, streaming);
            else gradient_row(g + at, x + at, wide, p, 0, of_x + at, p->width, streaming);
        }
        streamed();
    }
    long at = p->rows * p->width;
    gradient_row(g + at, x + at, wide, p, relu, of_x + at, p->rest, 0);
}

/* Gradients from g (R, C), that of the result, and mean and scale as gcnn_batch_norm returned them. y is the result if
   there was a residual, else null, and then of_residual is null too; weight with of_weight and bias with of_bias may be
   null. */
void gcnn_batch_norm_backward(const float *g, const float *x, const float *weight, const float *bias, const float *mean,
                              const float *scale, const float *y, float *of_x, float *of_weight, float *of_bias,
                              float *of_residual, double *scratch, float *wide, int of_batch, int relu, long R, long C,
                              long threads) {
    plan plan_ = make_plan(R, C, threads), *p = &plan_;
    for (long i = 0; i < p->width; i++) {
        long c = i % C;
        PLACES(MEAN)[i] = mean[c], PLACES(A)[i] = weight ? weight[c] * scale[c] : scale[c];
        PLACES(B)[i] = (bias ? bias[c] : 0) - PLACES(A)[i] * mean[c];
    }
    all_sums(g, x, y, wide, relu, of_residual, scratch, p);
    for (long c = 0; c < C; c++) {
        double total = 0, product = 0;
        for (long chunk = 0; chunk < p->threads; chunk++)
            for (long i = c; i < p->width; i += C)
                total += scratch[2 * chunk * p->width + i], product += scratch[(2 * chunk + 1) * p->width + i];
        if (of_weight) of_weight[c] = product * scale[c];
        if (of_bias) of_bias[c] = total;
        for (long i = c; i < p->width; i += C) {
            PLACES(SLOPE)[i] = of_batch ? -PLACES(A)[i] * scale[c] * scale[c] * product / R : 0;
            PLACES(SHIFT)[i] = of_batch ? -PLACES(A)[i] * total / R : 0;
        }
    }
    gradients(y ? of_residual : g, x, wide, p, relu, of_x);
}
