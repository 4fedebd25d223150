/* The Fourier transform of maps over the plane, and the transform back.

   Maps are (B, H, W, M) in memory, float32, and seen as zero outside, up to n_rows * n_columns pixels. Their spectrum is
   X(u, v) = sum of x(p, q) exp(-2 pi i (u p / n_rows + v q / n_columns)) for u of 0 to n_rows / 2; the other rows of
   frequencies are conjugates of these. It is (U * V, 2, B, M), with the real parts first.

   Sums and differences of opposite places, p and n - p, are multiplied by cosines and by sines: a transform of length n
   takes about n^2 / 2 multiply-accumulates instead of n^2, and works for any n. A few channels of an image are
   transformed at a time, so that what lies in between stays in the cache. */

#include "fourier.h"

#define CHANNELS (2 * LANES) /* channels that are transformed together */

/* A transform of one axis: n places, of which `size` lie within the map; half: the places and frequencies of 0 to n / 2.
   cosine, sine (half, half): of 2 pi u p / n. */
typedef struct {
    long n, size, half, inside; /* inside: the places of the first half that lie within the map */
    const float *cosine, *sine;
} axis;

static axis make_axis(long n, long size, const float *cosine, const float *sine) {
    return (axis){n, size, n / 2 + 1, MIN(n / 2 + 1, size), cosine, sine};
}
/* Whether p, a place of the first half, has an opposite one, n - p. */
INLINE int has_opposite(axis a, long p) { return p > 0 && 2 * p != a.n; }

static long scratch_floats(long W, long n_rows, long n_columns) {
    return CHANNELS * (4 * (n_rows / 2 + 1) * W + 8 * (n_columns / 2 + 1));
}

/* Floats of a spectrum, and of what the threads need. */
void gcnn_fourier_memory(long B, long W, long M, long n_rows, long n_columns, long threads, long *floats) {
    floats[0] = (n_rows / 2 + 1) * n_columns * spectrum_step(B, M);
    floats[1] = threads * scratch_floats(W, n_rows, n_columns);
}

/* The spectrum of maps; the row of frequencies u is multiplied by weights[u], unless weights is null. */
void gcnn_fourier(const float *x, const float *cos_rows, const float *sin_rows, const float *cos_columns,
                   const float *sin_columns, const float *weights, float *spectrum, float *scratch, long B, long H,
                   long W, long M, long n_rows, long n_columns, long threads) {
    axis rows = make_axis(n_rows, H, cos_rows, sin_rows), columns = make_axis(n_columns, W, cos_columns, sin_columns);
    threads = worthwhile_threads((double)B * M * rows.half * W * (rows.inside + columns.half), threads);
    long blocks = ceil_div(M, CHANNELS), plane = B * M, step = spectrum_step(B, M);
    int streaming = streams(spectrum, rows.half * columns.n * 2 * B, M, LARGE);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long task = 0; task < B * blocks; task++) {
        long b = task / blocks, m = task % blocks * CHANNELS, L = MIN(CHANNELS, M - m), line = W * L;
        float *sums = scratch + omp_get_thread_num() * scratch_floats(W, n_rows, n_columns);
        float *differences = sums + rows.half * line, *real = differences + rows.half * line;
        float *imaginary = real + rows.half * line, *even = imaginary + rows.half * line;
        float *odd = even + 2 * columns.half * L, *by_cosine = odd + 2 * columns.half * L;
        float *by_sine = by_cosine + 2 * columns.half * L;
        const float *from = x + b * H * W * M + m;
        for (long p = 0; p < rows.inside; p++) {
            int opposite = has_opposite(rows, p) && rows.n - p < H;
            for (long q = 0; q < W; q++) {
                const float *first = from + (p * W + q) * M, *last = from + ((rows.n - p) * W + q) * M;
                float *sum = sums + p * line + q * L, *difference = differences + p * line + q * L;
                if (opposite)
#pragma omp simd
                    for (long l = 0; l < L; l++) sum[l] = first[l] + last[l], difference[l] = first[l] - last[l];
                else
#pragma omp simd
                    for (long l = 0; l < L; l++) sum[l] = difference[l] = first[l];
            }
        }
        product(rows.half, line, rows.inside, rows.cosine, rows.half, 1, sums, line, real, line, 0);
        product(rows.half, line, rows.inside, rows.sine, rows.half, 1, differences, line, imaginary, line, 0);
        for (long u = 0; u < rows.half; u++) { /* the row of frequencies is real - i imaginary */
            const float *re = real + u * line, *im = imaginary + u * line;
            float weight = weights ? weights[u] : 1;
            for (long q = 0; q < columns.inside; q++) {
                int opposite = has_opposite(columns, q) && columns.n - q < W;
                const float *re_last = re + (columns.n - q) * L, *im_last = im + (columns.n - q) * L;
                float *e = even + 2 * q * L, *o = odd + 2 * q * L;
                if (opposite)
#pragma omp simd
                    for (long l = 0; l < L; l++) {
                        e[l] = weight * (re[q * L + l] + re_last[l]), o[l] = weight * (re[q * L + l] - re_last[l]);
                        e[L + l] = -weight * (im[q * L + l] + im_last[l]);
                        o[L + l] = -weight * (im[q * L + l] - im_last[l]);
                    }
                else
#pragma omp simd
                    for (long l = 0; l < L; l++) {
                        e[l] = o[l] = weight * re[q * L + l];
                        e[L + l] = o[L + l] = -weight * im[q * L + l];
                    }
            }
            long half = columns.half, inside = columns.inside;
            product(half, 2 * L, inside, columns.cosine, half, 1, even, 2 * L, by_cosine, 2 * L, 0);
            product(half, 2 * L, inside, columns.sine, half, 1, odd, 2 * L, by_sine, 2 * L, 0);
            for (long v = 0; v < columns.half; v++) { /* by_cosine - i by_sine, and its opposite */
                const float *c = by_cosine + 2 * v * L, *s = by_sine + 2 * v * L;
                float *to = spectrum + (u * columns.n + v) * step + b * M + m;
                write_sum(to, c, 1, s + L, 0, L, streaming), write_sum(to + plane, c + L, -1, s, 0, L, streaming);
                if (!has_opposite(columns, v)) continue;
                to = spectrum + (u * columns.n + columns.n - v) * step + b * M + m;
                write_sum(to, c, -1, s + L, 0, L, streaming), write_sum(to + plane, c + L, 1, s, 0, L, streaming);
            }
        }
        streamed();
    }
}

/* Maps y(p, q) = bias + the real part of the sum of weights[u] X(u, v) exp(2 pi i (u p / n_rows + v q / n_columns));
   weights and bias may be null. */
void gcnn_fourier_back(const float *spectrum, const float *cos_rows, const float *sin_rows, const float *cos_columns,
                        const float *sin_columns, const float *weights, const float *bias, float *y, float *scratch,
                        long B, long H, long W, long M, long n_rows, long n_columns, long threads) {
    axis rows = make_axis(n_rows, H, cos_rows, sin_rows), columns = make_axis(n_columns, W, cos_columns, sin_columns);
    threads = worthwhile_threads((double)B * M * rows.half * W * (rows.inside + columns.half), threads);
    long blocks = ceil_div(M, CHANNELS), plane = B * M, step = spectrum_step(B, M);
    int streaming = streams(y, B * H * W, M, LARGE);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long task = 0; task < B * blocks; task++) {
        long b = task / blocks, m = task % blocks * CHANNELS, L = MIN(CHANNELS, M - m), line = W * L;
        float *real = scratch + omp_get_thread_num() * scratch_floats(W, n_rows, n_columns);
        float *imaginary = real + rows.half * line, *by_cosine = imaginary + rows.half * line;
        float *by_sine = by_cosine + rows.half * line, *even = by_sine + rows.half * line;
        float *odd = even + 2 * columns.half * L, *c = odd + 2 * columns.half * L, *s = c + 2 * columns.half * L;
        for (long u = 0; u < rows.half; u++) {
            float weight = weights ? weights[u] : 1;
            for (long v = 0; v < columns.half; v++) {
                const float *first = spectrum + (u * columns.n + v) * step + b * M + m;
                const float *last = spectrum + (u * columns.n + columns.n - v) * step + b * M + m;
                float *e = even + 2 * v * L, *o = odd + 2 * v * L;
                if (has_opposite(columns, v))
#pragma omp simd
                    for (long l = 0; l < L; l++) {
                        e[l] = weight * (first[l] + last[l]), o[l] = weight * (first[l] - last[l]);
                        e[L + l] = weight * (first[plane + l] + last[plane + l]);
                        o[L + l] = weight * (first[plane + l] - last[plane + l]);
                    }
                else
#pragma omp simd
                    for (long l = 0; l < L; l++) {
                        e[l] = weight * first[l], e[L + l] = weight * first[plane + l];
                        o[l] = o[L + l] = 0;
                    }
            }
            product(columns.inside, 2 * L, columns.half, columns.cosine, columns.half, 1, even, 2 * L, c, 2 * L, 0);
            product(columns.inside, 2 * L, columns.half, columns.sine, columns.half, 1, odd, 2 * L, s, 2 * L, 0);
            float *re = real + u * line, *im = imaginary + u * line;
            for (long q = 0; q < columns.inside; q++) { /* c + i s, and its opposite */
                const float *cq = c + 2 * q * L, *sq = s + 2 * q * L;
#pragma omp simd
                for (long l = 0; l < L; l++) re[q * L + l] = cq[l] - sq[L + l], im[q * L + l] = cq[L + l] + sq[l];
                long last = columns.n - q;
                if (has_opposite(columns, q) && last < W)
#pragma omp simd
                    for (long l = 0; l < L; l++)
                        re[last * L + l] = cq[l] + sq[L + l], im[last * L + l] = cq[L + l] - sq[l];
            }
        }
        product(rows.inside, line, rows.half, rows.cosine, rows.half, 1, real, line, by_cosine, line, 0);
        product(rows.inside, line, rows.half, rows.sine, rows.half, 1, imaginary, line, by_sine, line, 0);
        float *to = y + b * H * W * M + m;
        for (long p = 0; p < rows.inside; p++)
            for (long q = 0; q < W; q++) {
                const float *cp = by_cosine + p * line + q * L, *sp = by_sine + p * line + q * L;
                const float *shift = bias ? bias + m : 0;
                write_sum(to + (p * W + q) * M, cp, -1, sp, shift, L, streaming);
                if (has_opposite(rows, p) && rows.n - p < H)
                    write_sum(to + ((rows.n - p) * W + q) * M, cp, 1, sp, shift, L, streaming);
            }
        streamed();
    }
}
