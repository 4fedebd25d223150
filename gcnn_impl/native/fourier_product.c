/* The product of the spectra of maps and of a kernel at each of F frequencies, and its gradients.

   A spectrum is (F, 2, B, M), real parts first. The kernel has T taps, of which t and T - 1 - t lie opposite each other:
   its spectrum k = k_r + i k_i is a sum of cosines times the sums of opposite taps, and of sines times the differences.
   cosine (F, T/2 + 1) and sine (F, T/2) belong to the first taps; the last cosine, to the middle tap.

   A complex product takes three real ones: with t = (x_r + x_i) k_r, it is t - x_i (k_r + k_i) + i (t + x_r (k_i - k_r)).

   The spectrum of the kernel is never stored: each thread computes it for GROUP frequencies and a few channels, uses it,
   and forgets it. The spectra of the maps do not fit into the caches, so the order in which they are read decides the
   time: the operands of a group are copied one behind the other, and the next ones are fetched during a product. The
   order of every sum depends on the sizes alone. */

#include "fourier.h"

#define GROUP ROWS            /* frequencies whose kernel is computed together, by one product */
#define WIDE (2 * LANES)      /* output channels of a panel of the kernel */
#define DEEP 64               /* input channels that are multiplied before others are fetched */
#define TALL (2 * ROWS)       /* output channels of a tile of the gradient of the kernel */
#define KEPT_FLOATS 1000000   /* floats of spectra that the gradient of the kernel prepares at a time, at most */

/* Sums and differences of opposite taps, in panels of WIDE of N channels: (N / WIDE, K, T, WIDE), where tap t of
   channels k and n is taps[t * K * N + k * k_step + n * n_step]. */
static void fold(const float *taps, float *panels, long T, long K, long N, long k_step, long n_step, long threads) {
    long half = T / 2, count = ceil_div(N, WIDE);
#pragma omp parallel for collapse(2) num_threads(threads) schedule(static)
    for (long panel = 0; panel < count; panel++)
        for (long k = 0; k < K; k++) {
            float *even = panels + (panel * K + k) * T * WIDE, *odd = even + (half + 1) * WIDE;
            const float *from = taps + k * k_step + panel * WIDE * n_step;
            long wide = MIN(WIDE, N - panel * WIDE);
            for (long t = 0; t <= half; t++)
                for (long n = 0; n < WIDE; n++) {
                    float a = n < wide ? from[t * K * N + n * n_step] : 0;
                    float z = n < wide ? from[(T - 1 - t) * K * N + n * n_step] : 0;
                    even[t * WIDE + n] = t < half ? a + z : a;
                    if (t < half) odd[t * WIDE + n] = a - z;
                }
        }
}

/* The operands of a complex product that belong to the kernel, at `count` frequencies: each (count, deep, WIDE), with
   STEP floats from one frequency to the next. panel (deep, T, WIDE). */
#define STEP (DEEP * WIDE + LANES) /* a power of two would let all frequencies compete for the same lines of the cache */
INLINE void kernel_spectrum(const float *panel, const float *cosine, const float *sine, float *k_r, float *k_sum,
                            float *k_difference, long count, long deep, long T, int conjugate) {
    long evens = T / 2 + 1, odds = T / 2;
    float real[GROUP * WIDE], imaginary[GROUP * WIDE];
    for (long k = 0; k < deep; k++, panel += T * WIDE) {
        product(count, WIDE, evens, cosine, evens, 1, panel, WIDE, real, WIDE, 0);
        product(count, WIDE, odds, sine, odds, 1, panel + evens * WIDE, WIDE, imaginary, WIDE, 0);
        for (long g = 0; g < count; g++)
            for (long n = 0; n < WIDE; n++) {
                float re = real[g * WIDE + n], im = conjugate ? -imaginary[g * WIDE + n] : imaginary[g * WIDE + n];
                long at = g * STEP + k * WIDE + n;
                k_r[at] = re, k_sum[at] = -(re + im), k_difference[at] = im - re;
            }
    }
}

/* The operands of a complex product that belong to a map, at one frequency: x_r + x_i, x_i, x_r, from x (2, B, K). Those
   of DEEP channels lie together, (3, B, DEEP), with `step` floats to those of the next channels. */
static void map_operands(const float *x, float *to, long B, long K, long step) {
    for (long k = 0; k < K; k += DEEP, to += step)
        for (long b = 0; b < B; b++) {
            const float *x_r = x + b * K + k, *x_i = x_r + B * K;
            float *sum = to + b * DEEP, *second = sum + B * DEEP, *third = second + B * DEEP;
#pragma omp simd
            for (long j = 0; j < MIN(DEEP, K - k); j++) sum[j] = x_r[j] + x_i[j], second[j] = x_i[j], third[j] = x_r[j];
        }
}

/* `wide` channels of y (2, B, N), from the three real products (3, B, WIDE): the first one plus each of the others. */
static void add_products(const float *products, float *y, long B, long N, long wide, int streaming) {
    for (long row = 0; row < 2 * B; row++, y += N) {
        const float *first = products + row % B * WIDE, *other = products + (B + row) * WIDE;
        write_sum(y, first, 1, other, 0, wide, streaming);
    }
}

/* Floats of a thread: the operands of the maps; and these, the spectrum of the kernel, and the products. */
static long map_floats(long B, long K) { return GROUP * 3 * B * DEEP * ceil_div(K, DEEP); }
static long product_floats(long B, long K) { return map_floats(B, K) + GROUP * 3 * (STEP + B * WIDE); }

/* Floats that the product needs, for K input and N output channels: of the folded taps, and of all threads. */
void gcnn_fourier_product_memory(long T, long B, long K, long N, long threads, long *floats) {
    floats[0] = ceil_div(N, WIDE) * T * K * WIDE, floats[1] = threads * product_floats(B, K);
}

/* y (F, 2, B, N) = x (F, 2, B, K) k, for taps (T, N, K); or, if `conjugate`, x k* for taps (T, K, N): then this is the
   gradient of the input. */
void gcnn_fourier_product(const float *x, const float *taps, const float *cosine, const float *sine, float *y,
                           float *panels, float *scratch, long F, long T, long B, long K, long N, int conjugate,
                           long threads) {
    long evens = T / 2 + 1, odds = T / 2, x_step = spectrum_step(B, K), y_step = spectrum_step(B, N);
    int streaming = streams(y, F * 2 * B, N, LARGE);
    threads = worthwhile_threads((double)F * K * N * (3 * B + T), threads);
    fold(taps, panels, T, K, N, conjugate ? N : 1, conjugate ? 1 : K, threads);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
    for (long first = 0; first < F; first += GROUP) {
        long count = MIN(GROUP, F - first), deep_step = GROUP * 3 * B * DEEP;
        float *kernel = scratch + omp_get_thread_num() * product_floats(B, K), *maps = kernel + GROUP * 3 * STEP;
        float *products = maps + map_floats(B, K);
        for (long g = 0; g < count; g++) map_operands(x + (first + g) * x_step, maps + g * 3 * B * DEEP, B, K, deep_step);
        for (long n = 0; n < N; n += WIDE) {
            for (long k = 0; k < K; k += DEEP) {
                long deep = MIN(DEEP, K - k);
                const float *operands = maps + k / DEEP * deep_step, *last = operands + (count * 3 - 1) * B * DEEP;
                kernel_spectrum(panels + (n * K + k * WIDE) * T, cosine + first * evens, sine + first * odds, kernel,
                                kernel + GROUP * STEP, kernel + 2 * GROUP * STEP, count, deep, T, conjugate);
                for (long i = 0; i < count * 3; i++) { /* product i % 3 of frequency i / 3 */
                    const float *a = operands + i * B * DEEP, *b = kernel + (i % 3 * GROUP + i / 3) * STEP;
                    const float *ahead = a < last ? a + B * DEEP : k + DEEP < K ? operands + deep_step : maps;
                    product_strips(B, WIDE, deep, a, DEEP, 1, b, WIDE, products + i * B * WIDE, WIDE, k > 0, ahead);
                }
            }
            for (long g = 0; g < count; g++)
                add_products(products + g * 3 * B * WIDE, y + (first + g) * y_step + n, B, N, MIN(WIDE, N - n), streaming);
        }
        streamed();
    }
}

/* Frequencies whose spectra are prepared at a time: whole groups. */
static long kept(long F, long B, long K, long N) {
    return MIN(MAX(KEPT_FLOATS / (3 * B * (K + N)) / GROUP, 1) * GROUP, F);
}
static long tile_floats(void) { return 2 * GROUP * TALL * WIDE; }

/* Floats that the gradient of the kernel needs: of the spectra prepared, of its sums, and of all threads. */
void gcnn_fourier_weight_memory(long F, long T, long B, long K, long N, long threads, long *floats) {
    floats[0] = 3 * kept(F, B, K, N) * B * (ceil_div(N, TALL) * TALL + ceil_div(K, WIDE) * WIDE);
    floats[1] = ceil_div(N, TALL) * ceil_div(K, WIDE) * T * TALL * WIDE, floats[2] = threads * tile_floats();
}

/* The operands of a complex product that belong to a map or to its gradient, at `count` frequencies, in blocks of `block`
   channels: (count, M / block, 3, B, block), from a spectrum at `from`. */
static void prepare(const float *from, float *to, long count, long B, long M, long block, int of_map, long threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long f = 0; f < count; f++)
        for (long b = 0; b < B; b++)
            for (long m = 0; m < M; m += block) {
                const float *r = from + f * spectrum_step(B, M) + b * M + m, *i = r + B * M;
                float *first = to + (f * ceil_div(M, block) + m / block) * 3 * B * block + b * block;
                float *second = first + B * block, *third = second + B * block;
#pragma omp simd
                for (long j = 0; j < MIN(block, M - m); j++) {
                    float re = r[j], im = i[j];
                    first[j] = of_map ? re : re + im, second[j] = of_map ? re - im : -im;
                    third[j] = of_map ? re + im : -re;
                }
            }
}

/* The gradient of taps, (T, N, K), from the gradient g (F, 2, B, N) and the map's spectrum x (F, 2, B, K): the spectrum
   of the gradient is g x*, taken back to the taps. */
void gcnn_fourier_weight(const float *g, const float *x, const float *cosine, const float *sine, float *g_taps,
                          float *prepared, float *sums, float *scratch, long F, long T, long B, long K, long N,
                          long threads) {
    long evens = T / 2 + 1, odds = T / 2, most = kept(F, B, K, N), area = TALL * WIDE;
    long high = ceil_div(N, TALL), across = ceil_div(K, WIDE), tiles = high * across;
    threads = worthwhile_threads((double)F * K * N * (3 * B + T), threads);
    float *gs = prepared, *xs = prepared + 3 * most * B * high * TALL;
    for (long first = 0; first < F; first += most) {
        long count = MIN(most, F - first);
        prepare(g + first * spectrum_step(B, N), gs, count, B, N, TALL, 0, threads);
        prepare(x + first * spectrum_step(B, K), xs, count, B, K, WIDE, 1, threads);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
        for (long tile = 0; tile < tiles; tile++) {
            long n = tile % high * TALL, k = tile / high * WIDE, tall = MIN(TALL, N - n), wide = MIN(WIDE, K - k);
            float *real = scratch + omp_get_thread_num() * tile_floats(), *imaginary = real + GROUP * area;
            float *even = sums + tile * T * area, *odd = even + evens * area;
            for (long at = 0; at < count; at += GROUP) {
                long together = MIN(GROUP, count - at);
                for (long f = 0; f < together; f++) {
                    const float *gf = gs + ((at + f) * high + tile % high) * 3 * B * TALL;
                    const float *xf = xs + ((at + f) * across + tile / high) * 3 * B * WIDE;
                    float *re = real + f * area, *im = imaginary + f * area;
                    const float *ahead = gf + high * 3 * B * TALL; /* of the next frequency */
#define REAL_PRODUCT(i, to, add) \
    product_strips(tall, wide, B, gf + i * B * TALL, 1, TALL, xf + i * B * WIDE, WIDE, to, WIDE, add, ahead + i * B * TALL)
                    REAL_PRODUCT(0, re, 0);
                    for (long i = 0; i < tall * WIDE; i++) im[i] = re[i];
                    REAL_PRODUCT(1, re, 1);
                    REAL_PRODUCT(2, im, 1);
#undef REAL_PRODUCT
                }
                const float *c = cosine + (first + at) * evens, *s = sine + (first + at) * odds;
                int add = first + at > 0;
                product(evens, tall * WIDE, together, c, 1, evens, real, area, even, area, add);
                product(odds, tall * WIDE, together, s, 1, odds, imaginary, area, odd, area, add);
            }
        }
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (long tile = 0; tile < tiles; tile++) {
        long n = tile % high * TALL, k = tile / high * WIDE, tall = MIN(TALL, N - n), wide = MIN(WIDE, K - k);
        for (long t = 0; t < evens; t++)
            for (long row = 0; row < tall; row++) {
                const float *even = sums + (tile * T + t) * area + row * WIDE, *odd = even + evens * area;
                float *to = g_taps + (t * N + n + row) * K + k, *opposite = to + (T - 1 - 2 * t) * N * K;
                for (long l = 0; l < wide; l++) {
                    float o = t < odds ? odd[l] : 0;
                    to[l] = even[l] + o;
                    if (t < odds) opposite[l] = even[l] - o;
                }
            }
    }
}
