/* What the operators with a batch norm share. */

#ifndef GCNN_NORM_H
#define GCNN_NORM_H

#include "vector.h"

/* Return mean and 1 / deviation of each channel of x (R, C), and the numbers with which a x + b is normalised.
   Statistics are those of the batch, which update the running ones unless these are null, or the running ones. weight
   and bias may be null. scratch: see gcnn_norm_memory. */
void gcnn_norm_scales(const float *x, const float *weight, const float *bias, float *running_mean, float *running_var,
                 float *mean, float *scale, float *a, float *b, double *scratch, int of_batch, double momentum,
                 double eps, long R, long C, long threads);

/* Repeat the first C values until there are `width`. */
INLINE void repeat(float *values, long C, long width) {
    for (long i = C; i < width; i++) values[i] = values[i - C];
}
INLINE vec load_any(const float *p, long lanes) { return lanes < LANES ? load_part(p, lanes) : load(p); }
INLINE void store_any(float *p, vec v, long lanes, int streaming) {
    if (lanes < LANES) store_part(p, v, lanes);
    else if (streaming) stream(p, v);
    else store(p, v);
}

#endif
