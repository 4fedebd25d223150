/* Where the spectra of maps lie in memory: frequency f of B maps of M channels begins at f * spectrum_step(B, M), with
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

#endif
