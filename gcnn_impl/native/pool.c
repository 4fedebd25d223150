/* Batch norm, then 2x2 spatial maxima and a ReLU: images (B, H, W, M) of even sides -> (B, H/2, W/2, M), float32.

   The normalised map is never written: forward reads x for its statistics, and once more. Backward normalises anew to
   find the maxima, of which the first has the gradient, as in torch. M is a multiple of the channels C of the norm.

   The order of every sum depends on the sizes and on the number of threads alone. */

#include "norm.h"

#define SMALL 100000  /* values below which one thread is faster than two */
#define LARGE 2000000 /* values of an output that bypasses the caches */

static long threads_for(long B, long H, long W, long M, long threads) {
    return B * H * W * M < SMALL ? 1 : MIN(threads, B * H / 2);
}

/* Doubles of scratch, and floats, for the rows that follow. */
enum { MEAN, FACTOR, OFFSET, SLOPE, SHIFT, SHARED }; /* a value for each map, M of each */
void gcnn_pool_memory(long B, long H, long W, long M, long threads, long *sizes) {
    threads = threads_for(B, H, W, M, threads);
    sizes[0] = threads * 2 * M, sizes[1] = (SHARED + 2 * threads) * M;
}

/* The four values of a window, normalised; which of them is the largest, the first of equal ones; and its value. */
typedef struct {
    vec x[4], best, value; /* value: x at the maximum */
    mask chosen[4];
} window;

INLINE window look(const float *x, long row, long M, vec a, vec b, long lanes) {
    window w;
    const long offsets[4] = {0, M, row, row + M};
#pragma GCC unroll 4
    for (int k = 0; k < 4; k++) {
        w.x[k] = load_any(x + offsets[k], lanes);
        vec y = w.x[k] * a + b;
        mask take = ~(mask){0};
        if (k) take = (mask)(y > w.best) | (mask)(y != y); /* a NaN is a maximum */
        w.best = k ? either(y, w.best, take) : y, w.value = k ? either(w.x[k], w.value, take) : w.x[k];
#pragma GCC unroll 4
        for (int j = 0; j < k; j++) w.chosen[j] &= ~take;
        w.chosen[k] = take;
    }
    return w;
}

/* Normalise x as gcnn_batch_norm does, then take maxima, rectified if `relu`. wide: see gcnn_pool_memory. */
void gcnn_norm_pool(const float *x, const float *weight, const float *bias, float *running_mean, float *running_var,
                    float *y, float *mean, float *scale, double *scratch, float *wide, int of_batch, double momentum,
                    double eps, int relu, long B, long H, long W, long M, long C, long threads) {
    float *a = wide, *b = wide + M;
    gcnn_norm_scales(x, weight, bias, running_mean, running_var, mean, scale, a, b, scratch, of_batch, momentum, eps,
                B * H * W * (M / C), C, threads);
    repeat(a, C, M), repeat(b, C, M);
    int streaming = streams(y, B * H * W / 4, M, LARGE);
#pragma omp parallel for num_threads(threads_for(B, H, W, M, threads)) schedule(static)
    for (long r = 0; r < B * H / 2; r++) {
        for (long j = 0; j < W / 2; j++)
            for (long m = 0; m < M; m += LANES) {
                long lanes = MIN(M - m, LANES);
                const float *at = x + 2 * r * W * M + 2 * j * M + m;
                vec best = look(at, W * M, M, load_any(a + m, lanes), load_any(b + m, lanes), lanes).best;
                store_any(y + (r * (W / 2) + j) * M + m, relu ? rectify(best) : best, lanes, streaming);
            }
        streamed();
    }
}

/* Gradients from g, that of the result, and mean and scale as gcnn_norm_pool returned them; weight with of_weight and
   bias with of_bias may be null. */
void gcnn_norm_pool_backward(const float *g, const float *x, const float *weight, const float *bias, const float *mean,
                             const float *scale, float *of_x, float *of_weight, float *of_bias, double *scratch,
                             float *wide, int of_batch, int relu, long B, long H, long W, long M, long C,
                             long threads) {
    long rows = B * H / 2, row = W * M;
    int streaming = streams(of_x, B * H * W, M, LARGE);
    threads = threads_for(B, H, W, M, threads);
#define PLACES(value) (wide + (value) * M)
    for (long c = 0; c < C; c++) {
        PLACES(MEAN)[c] = mean[c], PLACES(FACTOR)[c] = weight ? weight[c] * scale[c] : scale[c];
        PLACES(OFFSET)[c] = (bias ? bias[c] : 0) - PLACES(FACTOR)[c] * mean[c];
    }
    repeat(PLACES(MEAN), C, M), repeat(PLACES(FACTOR), C, M), repeat(PLACES(OFFSET), C, M);
    memset(scratch, 0, threads * 2 * M * sizeof(double));
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (long chunk = 0; chunk < threads; chunk++) {
        double *sums = scratch + chunk * 2 * M;
        float *total = PLACES(SHARED + 2 * chunk), *product = total + M;
        for (long r = chunk * rows / threads; r < (chunk + 1) * rows / threads; r++) {
            memset(total, 0, 2 * M * sizeof(float));
            for (long j = 0; j < W / 2; j++)
                for (long m = 0; m < M; m += LANES) {
                    long lanes = MIN(M - m, LANES);
                    vec a = load_any(PLACES(FACTOR) + m, lanes), b = load_any(PLACES(OFFSET) + m, lanes);
                    window w = look(x + 2 * r * row + 2 * j * M + m, row, M, a, b, lanes);
                    vec gm = load_any(g + (r * (W / 2) + j) * M + m, lanes);
                    if (relu) gm = choose(gm, ~(mask)(w.best <= 0));
                    vec moved = w.value - load_any(PLACES(MEAN) + m, lanes);
                    store_any(total + m, load_any(total + m, lanes) + gm, lanes, 0);
                    store_any(product + m, load_any(product + m, lanes) + gm * moved, lanes, 0);
                }
            for (long m = 0; m < 2 * M; m++) sums[m] += total[m];
        }
    }
    for (long c = 0; c < C; c++) {
        double total = 0, product = 0, count = B * H * W * (M / C);
        for (long chunk = 0; chunk < threads; chunk++)
            for (long m = c; m < M; m += C)
                total += scratch[2 * chunk * M + m], product += scratch[(2 * chunk + 1) * M + m];
        if (of_weight) of_weight[c] = product * scale[c];
        if (of_bias) of_bias[c] = total;
        PLACES(SLOPE)[c] = of_batch ? -PLACES(FACTOR)[c] * scale[c] * scale[c] * product / count : 0;
        PLACES(SHIFT)[c] = of_batch ? -PLACES(FACTOR)[c] * total / count : 0;
    }
    repeat(PLACES(SLOPE), C, M), repeat(PLACES(SHIFT), C, M);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long r = 0; r < rows; r++) {
        for (long j = 0; j < W / 2; j++)
            for (long m = 0; m < M; m += LANES) {
                long lanes = MIN(M - m, LANES), at = 2 * r * row + 2 * j * M + m;
                vec a = load_any(PLACES(FACTOR) + m, lanes), b = load_any(PLACES(OFFSET) + m, lanes);
                vec slope = load_any(PLACES(SLOPE) + m, lanes), centre = load_any(PLACES(MEAN) + m, lanes);
                vec shift = load_any(PLACES(SHIFT) + m, lanes);
                window w = look(x + at, row, M, a, b, lanes);
                vec gm = a * load_any(g + (r * (W / 2) + j) * M + m, lanes);
                if (relu) gm = choose(gm, ~(mask)(w.best <= 0));
                const long offsets[4] = {0, M, row, row + M};
#pragma GCC unroll 4
                for (int k = 0; k < 4; k++)
                    store_any(of_x + at + offsets[k], choose(gm, w.chosen[k]) + slope * (w.x[k] - centre) + shift, lanes,
                              streaming);
            }
        streamed();
    }
#undef PLACES
}
