/* The 1x1 convolution of a small map. oneDNN's is faster for large maps, but needs some 50 us to start. */

#include "product.h"

/* y (P, O) = x (P, I) w^T, with w (O, I); scratch: I * O floats. */
void gcnn_mix(const float *x, const float *w, float *y, float *scratch, long P, long I, long O) {
    for (long o = 0; o < O; o++)
        for (long i = 0; i < I; i++) scratch[i * O + o] = w[o * I + i];
    product(P, O, I, x, I, 1, scratch, O, y, O, 0);
}

/* Gradients of x and of w, each unless null, from g (P, O). */
void gcnn_mix_backward(const float *g, const float *x, const float *w, float *g_x, float *g_w, long P, long I, long O) {
    if (g_x) product(P, I, O, g, O, 1, w, I, g_x, I, 0);
    if (g_w) product(O, I, P, g, 1, O, x, I, g_w, I, 0);
}
