/* Vectors of the processor's width, for all operators. */

#ifndef GCNN_VECTOR_H
#define GCNN_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX__)
#include <immintrin.h>
#endif
#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define INLINE static inline __attribute__((always_inline))

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

int omp_get_thread_num(void); /* as in omp.h, which some compilers lack */

INLINE vec load(const float *p) { return *(const vec *)p; }
INLINE void store(float *p, vec v) { *(vec *)p = v; }
/* Load or store the first `lanes` values of a vector, at most LANES; the others are zero, or stay as they are. */
INLINE vec load_part(const float *p, long lanes) {
#if defined(__AVX512F__)
    return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << lanes) - 1), p);
#else
    vec v = (vec){0};
    memcpy(&v, p, lanes * sizeof(float));
    return v;
#endif
}
INLINE void store_part(float *p, vec v, long lanes) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << lanes) - 1), (__m512)v);
#else
    memcpy(p, &v, lanes * sizeof(float));
#endif
}
/* Store past the caches, which saves reading a cache line before it is written; p must be aligned to a vector. Other
   threads see the value after `streamed`. */
INLINE void stream(float *p, vec v) {
#if defined(__AVX512F__)
    _mm512_stream_ps(p, (__m512)v);
#elif defined(__AVX__)
    _mm256_stream_ps(p, (__m256)v);
#else
    store(p, v);
#endif
}
INLINE void streamed(void) {
#if defined(__AVX__)
    _mm_sfence();
#endif
}

typedef int mask __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE vec choose(vec v, mask keep) { return (vec)((mask)v & keep); }
INLINE vec either(vec first, vec second, mask is_first) {
    return (vec)(((mask)first & is_first) | ((mask)second & ~is_first));
}
INLINE vec rectify(vec v) { return choose(v, ~(mask)(v < 0)); } /* keeps NaN */

/* Whether an output (rows, M) is streamed: it has more than `large` values, and all rows are aligned. */
INLINE int streams(const float *p, long rows, long M, long large) {
    return rows * M > large && M % LANES == 0 && (uintptr_t)p % (LANES * sizeof(float)) == 0;
}
INLINE long ceil_div(long a, long b) { return (a + b - 1) / b; }

#endif
