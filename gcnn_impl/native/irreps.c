/* Mixing over a group in a basis in which it is block-diagonal: the Fourier transform over the group.

   Maps are (P, H, C) in memory for P pixels, float32. A tile of pixels is transformed over H, multiplied by the blocks,
   and transformed back, so that what lies in between stays in the cache. The basis is orthonormal: the transform back is
   by the transposed matrix.

   A block takes `size` successive components, and its weight is (size * I, size * O). Several blocks may share a weight.
   The order of every sum depends on the sizes and on the number of threads alone. */

#include "product.h"

#define TILE_FLOATS 49152   /* floats of a tile, at most: a fifth of a usual second-level cache */
#define LARGE 2000000       /* values of an output that bypasses the caches */

typedef struct {
    long pixels, tiles; /* pixels of a tile, and number of tiles */
    long threads;       /* that work on the map, each with its own sums of gradients */
} plan;

static plan make_plan(long P, long H, long I, long O, long threads) {
    plan p;
    long most = MAX(TILE_FLOATS / (H * MAX(I, O)) / ROWS, 1) * ROWS;
    p.pixels = MIN(most, P);
    p.tiles = ceil_div(P, p.pixels);
    p.threads = worthwhile_threads((double)P * H * I * O, threads);
    if (p.tiles < p.threads) { /* few pixels: one tile for each thread */
        p.pixels = ceil_div(P, MIN(p.threads, P)), p.tiles = ceil_div(P, p.pixels);
        p.threads = MIN(p.threads, p.tiles);
    }
    return p;
}

/* Floats that the threads need, and floats of their sums of gradients. `weights`: values of all blocks. */
void gcnn_irreps_memory(long P, long H, long I, long O, long weights, long threads, long *floats) {
    plan p = make_plan(P, H, I, O, threads);
    floats[0] = p.threads * p.pixels * H * (I + O) + weights, floats[1] = p.threads * weights;
}

/* to (P, H, C) = basis (H, H) from (P, H, C), for every pixel. */
INLINE void transform_by(long H, long C, const float *from, const float *basis, float *to, int streaming, long P) {
    for (long p = 0; p < P; p++, from += H * C, to += H * C)
        for (long c = 0; c < C; c += LANES) {
            long lanes = MIN(C - c, LANES);
            for (long first = 0; first < H; first += 8) {
                vec acc[8] = {{0}};
                for (long h = 0; h < H; h++) {
                    vec x = lanes < LANES ? load_part(from + h * C + c, lanes) : load(from + h * C + c);
#pragma GCC unroll 8
                    for (long r = 0; r < MIN(H, 8); r++) acc[r] += basis[h * H + MIN(first + r, H - 1)] * x;
                }
#pragma GCC unroll 8
                for (long r = 0; r < MIN(H, 8); r++) {
                    if (first + r >= H) break;
                    float *at = to + (first + r) * C + c;
                    if (lanes < LANES) store_part(at, acc[r], lanes);
                    else if (streaming) stream(at, acc[r]);
                    else store(at, acc[r]);
                }
            }
        }
}

/* transform_by, compiled separately for the usual orders of the group; `upright` (H, H): component r of element h is
   upright[h * H + r]. */
static void transform(long P, long H, long C, const float *from, const float *upright, float *to, int streaming) {
    switch (H) {
    case 2: transform_by(2, C, from, upright, to, streaming, P); break;
    case 4: transform_by(4, C, from, upright, to, streaming, P); break;
    case 8: transform_by(8, C, from, upright, to, streaming, P); break;
    case 16: transform_by(16, C, from, upright, to, streaming, P); break;
    default: transform_by(H, C, from, upright, to, streaming, P);
    }
}

/* The blocks (n, 3): their first component, their size, and the place of their weight in units of I * O values. */
#define FIRST(b) blocks[3 * (b)]
#define SIZE(b) blocks[3 * (b) + 1]
#define PLACE(b) blocks[3 * (b) + 2]

/* y (P, H, O) from x (P, H, I); w: the weights of the blocks; basis (H, H): component r of element h is
   basis[r * H + h]; upright: its transpose. scratch: see gcnn_irreps_memory. */
void gcnn_irreps_mix(const float *x, const float *w, const float *basis, const float *upright, const long *blocks,
                     long n, float *y, float *scratch, long P, long H, long I, long O, long threads) {
    plan p = make_plan(P, H, I, O, threads);
    int streaming = streams(y, P * H, O, LARGE);
#pragma omp parallel for num_threads(p.threads) schedule(dynamic)
    for (long tile = 0; tile < p.tiles; tile++) {
        float *in = scratch + omp_get_thread_num() * p.pixels * H * (I + O), *out = in + p.pixels * H * I;
        long first = tile * p.pixels, count = MIN(p.pixels, P - first);
        transform(count, H, I, x + first * H * I, upright, in, 0);
        for (long b = 0; b < n; b++)
            product(count, SIZE(b) * O, SIZE(b) * I, in + FIRST(b) * I, H * I, 1, w + PLACE(b) * I * O, SIZE(b) * O,
                    out + FIRST(b) * O, H * O, 0);
        transform(count, H, O, out, basis, y + first * H * O, streaming);
        streamed();
    }
}

/* Gradients of x and of w, each unless null, from g (P, H, O). scratch, partial: see gcnn_irreps_memory; `weights`: the
   number of values of w. */
void gcnn_irreps_mix_backward(const float *g, const float *x, const float *w, const float *basis, const float *upright,
                              const long *blocks, long n, float *g_x, float *g_w, float *scratch, float *partial,
                              long weights, long P, long H, long I, long O, long threads) {
    plan p = make_plan(P, H, I, O, threads);
    int streaming = g_x && streams(g_x, P * H, I, LARGE);
    float *turned = scratch + p.threads * p.pixels * H * (I + O); /* the weights, transposed */
    if (g_x)
        for (long b = 0; b < n; b++)
            for (long i = 0; i < SIZE(b) * I; i++)
                for (long o = 0; o < SIZE(b) * O; o++)
                    turned[PLACE(b) * I * O + o * SIZE(b) * I + i] = w[PLACE(b) * I * O + i * SIZE(b) * O + o];
    if (g_w) memset(partial, 0, p.threads * weights * sizeof(float));
    /* Each chunk of tiles has its own sums, whichever thread computes it. */
#pragma omp parallel for num_threads(p.threads) schedule(static, 1)
    for (long chunk = 0; chunk < p.threads; chunk++) {
        float *in = scratch + chunk * p.pixels * H * (I + O), *out = in + p.pixels * H * I;
        float *sums = partial + chunk * weights;
        for (long tile = chunk * p.tiles / p.threads; tile < (chunk + 1) * p.tiles / p.threads; tile++) {
            long first = tile * p.pixels, count = MIN(p.pixels, P - first);
            transform(count, H, O, g + first * H * O, upright, out, 0);
            if (g_w) {
                transform(count, H, I, x + first * H * I, upright, in, 0);
                for (long b = 0; b < n; b++)
                    product(SIZE(b) * I, SIZE(b) * O, count, in + FIRST(b) * I, 1, H * I, out + FIRST(b) * O, H * O,
                            sums + PLACE(b) * I * O, SIZE(b) * O, 1);
            }
            if (g_x) {
                for (long b = 0; b < n; b++)
                    product(count, SIZE(b) * I, SIZE(b) * O, out + FIRST(b) * O, H * O, 1, turned + PLACE(b) * I * O,
                            SIZE(b) * I, in + FIRST(b) * I, H * I, 0);
                transform(count, H, I, in, basis, g_x + first * H * I, streaming);
            }
        }
        streamed();
    }
    if (g_w)
        for (long i = 0; i < weights; i++) {
            g_w[i] = 0;
            for (long chunk = 0; chunk < p.threads; chunk++) g_w[i] += partial[chunk * weights + i];
        }
}
