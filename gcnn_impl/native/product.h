/* Products of small matrices, without copies and on one thread. */

#ifndef GCNN_PRODUCT_H
#define GCNN_PRODUCT_H

#include "vector.h"

/* Rows of a product that stay in registers, two vectors each. With AVX-512 there are 32 registers, otherwise 16. */
#define ROWS (LANES == 16 ? 12 : 6)
#define FEW_ROWS 4 /* as many of the rows that are left over are computed together */
#define SMALL_TASK 200000 /* multiply-accumulates of a thread below which it does not pay to wake it */

/* The threads that `work` multiply-accumulates are worth, of those that are allowed. */
INLINE long worthwhile_threads(double work, long threads) { return MIN(threads, MAX((long)(work / SMALL_TASK), 1)); }

/* A tile of a product: `rows` rows of one or two vectors; the last vector of a row has `lanes` values. Meanwhile the
   rows * K values at `ahead` are fetched, unless it is null. */
INLINE void product_tile(int rows, int vectors, long lanes, long K, const float *a, long a_row, long a_column,
                         const float *b, long b_row, float *c, long c_row, int add, const float *ahead) {
    vec acc[ROWS][2];
#define PART(v) (lanes < LANES && (v) + 1 == vectors)
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            const float *from = c + i * c_row + v * LANES;
            acc[i][v] = !add ? (vec){0} : PART(v) ? load_part(from, lanes) : load(from);
        }
    for (long k = 0; k < K; k++) {
        vec bk[2];
        if (ahead) __builtin_prefetch(ahead + k * rows, 0, 2);
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            const float *from = b + k * b_row + v * LANES;
            bk[v] = PART(v) ? load_part(from, lanes) : load(from);
        }
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) acc[i][v] += a[i * a_row + k * a_column] * bk[v];
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            float *to = c + i * c_row + v * LANES;
            if (PART(v)) store_part(to, acc[i][v], lanes);
            else store(to, acc[i][v]);
        }
#undef PART
}

/* `rows` rows of a product. */
INLINE void product_rows(int rows, long J, long K, const float *a, long a_row, long a_column, const float *b,
                         long b_row, float *c, long c_row, int add, const float *ahead) {
#define TILE(vectors, lanes) \
    product_tile(rows, vectors, lanes, K, a, a_row, a_column, b + j, b_row, c + j, c_row, add, ahead)
    for (long j = 0; j < J; j += 2 * LANES) {
        long left = J - j;
        if (left >= 2 * LANES) TILE(2, LANES);
        else if (left > LANES) TILE(2, left - LANES);
        else if (left == LANES) TILE(1, LANES);
        else TILE(1, left);
    }
#undef TILE
}

/* As `product`; meanwhile the matrix at `ahead`, I * K values one behind the other, is fetched, unless it is null. */
INLINE void product_strips(long I, long J, long K, const float *a, long a_row, long a_column, const float *b,
                           long b_row, float *c, long c_row, int add, const float *ahead) {
    long i = 0;
#define STRIP(rows)                                                                                         \
    for (; I - i >= (rows); i += (rows))                                                                     \
    product_rows(rows, J, K, a + i * a_row, a_row, a_column, b, b_row, c + i * c_row, c_row, add,            \
                 ahead ? ahead + i * K : 0)
    STRIP(ROWS);
    STRIP(FEW_ROWS);
    STRIP(2);
    STRIP(1);
#undef STRIP
}

/* c (I, J) = a (I, K) b (K, J), or c += a b if `add`; a has any strides, b and c have rows of any length. */
static void product(long I, long J, long K, const float *a, long a_row, long a_column, const float *b, long b_row,
                    float *c, long c_row, int add) {
    product_strips(I, J, K, a, a_row, a_column, b, b_row, c, c_row, add, 0);
}

#endif
