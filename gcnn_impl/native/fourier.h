/* What the transforms and the product share.

   Where the spectra of maps lie in memory: frequency f of B maps of M channels begins at f * spectrum_step(B, M), with
   B * M real parts; as many imaginary ones follow. */

#ifndef GCNN_FOURIER_H
#define GCNN_FOURIER_H

#include "product.h"

/* At a step of a power of two, the frequencies of a pixel would compete for the same few lines of the caches; and, at a
   large one, for the same few entries of the buffer of the page table. So a line is left free, and the number of pages
   is odd. */
INLINE long spectrum_step(long B, long M) {
    long page = 1024, values = 2 * B * M;
    if (values < page) return values;
    return (values < 16 * page ? values : (ceil_div(values, page) | 1) * page) + 16;
}

/* Values of a spectrum or a map that bypasses the caches: to read each line before it is written takes longer. */
#define LARGE 2000000

/* to = a + sign * b + c, of L values; c may be null. If `streaming`, whole vectors bypass the caches. */
INLINE void write_sum(float *to, const float *a, float sign, const float *b, const float *c, long L, int streaming) {
    long l = 0;
    for (; L - l >= LANES; l += LANES) {
        vec v = load(a + l) + sign * load(b + l);
        if (c) v += load(c + l);
        if (streaming) stream(to + l, v);
        else store(to + l, v);
    }
    for (; l < L; l++) to[l] = a[l] + sign * b[l] + (c ? c[l] : 0);
}

#endif
