/* Products of small matrices, without copies and on one thread. */

#ifndef GCNN_PRODUCT_H
#define GCNN_PRODUCT_H

#include "vector.h"

#define ROWS 4 /* rows of a product that stay in registers */

/* A tile of a product: `rows` rows of one or two vectors; the last vector of a row has `lanes` values. */
INLINE void product_tile(int rows, int vectors, long lanes, long K, const float *a, long a_row, long a_column,
                         const float *b, long b_row, float *c, long c_row, int add) {
    vec acc[ROWS][2], last;
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) {
            acc[i][v] = (vec){0};
            if (add) memcpy(&acc[i][v], c + i * c_row + v * LANES, (v + 1 < vectors ? LANES : lanes) * sizeof(float));
        }
    for (long k = 0; k < K; k++) {
        if (lanes < LANES) last = (vec){0}, memcpy(&last, b + k * b_row + (vectors - 1) * LANES, lanes * sizeof(float));
        for (int i = 0; i < rows; i++)
            for (int v = 0; v < vectors; v++)
                acc[i][v] += a[i * a_row + k * a_column] *
                             (lanes < LANES && v + 1 == vectors ? last : load(b + k * b_row + v * LANES));
    }
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            memcpy(c + i * c_row + v * LANES, &acc[i][v], (v + 1 < vectors ? LANES : lanes) * sizeof(float));
}

/* c (I, J) = a (I, K) b (K, J), or c += a b if `add`; a has any strides, b and c have rows of any length. */
static void product(long I, long J, long K, const float *a, long a_row, long a_column, const float *b, long b_row,
                    float *c, long c_row, int add) {
    for (long i = 0; i < I; i += ROWS)
        for (long j = 0; j < J; j += 2 * LANES) {
            const float *ai = a + i * a_row, *bj = b + j;
            float *cij = c + i * c_row + j;
            long left = J - j;
#define TILE(rows, vectors, lanes) product_tile(rows, vectors, lanes, K, ai, a_row, a_column, bj, b_row, cij, c_row, add)
            if (I - i >= ROWS) {
                if (left >= 2 * LANES) TILE(ROWS, 2, LANES);
                else if (left > LANES) TILE(ROWS, 2, left - LANES);
                else if (left == LANES) TILE(ROWS, 1, LANES);
                else TILE(ROWS, 1, left);
            } else
                for (long row = i; row < I; row++, ai += a_row, cij += c_row) {
                    if (left >= 2 * LANES) TILE(1, 2, LANES);
                    else if (left > LANES) TILE(1, 2, left - LANES);
                    else if (left == LANES) TILE(1, 1, LANES);
                    else TILE(1, 1, left);
                }
#undef TILE
        }
}

#endif
