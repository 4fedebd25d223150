/* The 1x1 convolution of a map, a product of matrices, for few channels: oneDNN needs some 50 us to start, and reads the
   maps twice for the two gradients.

   The order of every sum depends on the sizes and on the number of threads alone. */

#include "product.h"

#define TILE_FLOATS 32768 /* floats of the maps of a tile, which two products read: an eighth of a usual cache */

typedef struct {
    long threads, pixels, tiles; /* pixels of a tile, and number of tiles */
} plan;

static plan make_plan(long P, long I, long O, long threads) {
    plan p;
    p.pixels = MIN(MAX(TILE_FLOATS / (I + O) / ROWS, 1) * ROWS, P);
    p.tiles = ceil_div(P, p.pixels);
    p.threads = MIN(worthwhile_threads((double)P * I * O, threads), p.tiles);
    return p;
}

/* Floats of scratch, for the transposed weight, and of the sums of gradients, for each thread. */
void gcnn_mix_memory(long P, long I, long O, long threads, long *floats) {
    floats[0] = I * O, floats[1] = make_plan(P, I, O, threads).threads * I * O;
}

/* y (P, O) = x (P, I) w^T, with w (O, I). scratch: see gcnn_mix_memory. */
void gcnn_mix(const float *x, const float *w, float *y, float *scratch, long P, long I, long O, long threads) {
    plan p = make_plan(P, I, O, threads);
    for (long o = 0; o < O; o++)
        for (long i = 0; i < I; i++) scratch[i * O + o] = w[o * I + i];
#pragma omp parallel for num_threads(p.threads) schedule(static)
    for (long tile = 0; tile < p.tiles; tile++) {
        long first = tile * p.pixels, count = MIN(p.pixels, P - first);
        product(count, O, I, x + first * I, I, 1, scratch, O, y + first * O, O, 0);
    }
}

/* Gradients of x and of w, each unless null, from g (P, O). partial: see gcnn_mix_memory; not read if g_w is null. */
void gcnn_mix_backward(const float *g, const float *x, const float *w, float *g_x, float *g_w, float *partial, long P,
                       long I, long O, long threads) {
    plan p = make_plan(P, I, O, threads);
    if (g_w) memset(partial, 0, p.threads * I * O * sizeof(float));
    /* Each chunk of tiles has its own sums, whichever thread computes it. */
#pragma omp parallel for num_threads(p.threads) schedule(static, 1)
    for (long chunk = 0; chunk < p.threads; chunk++)
        for (long tile = chunk * p.tiles / p.threads; tile < (chunk + 1) * p.tiles / p.threads; tile++) {
            long first = tile * p.pixels, count = MIN(p.pixels, P - first);
            const float *gt = g + first * O, *xt = x + first * I;
            if (g_x) product(count, I, O, gt, O, 1, w, I, g_x + first * I, I, 0);
            if (g_w) product(O, I, count, gt, 1, O, xt, I, partial + chunk * I * O, I, 1);
        }
    if (g_w)
        for (long i = 0; i < I * O; i++) {
            g_w[i] = 0;
            for (long chunk = 0; chunk < p.threads; chunk++) g_w[i] += partial[chunk * I * O + i];
        }
}
