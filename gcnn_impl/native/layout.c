/* Copies of maps on the group from one layout in memory to another: pixels adjacent for every channel, or channels
   adjacent for every pixel. Tiles are transposed in registers, so that both sides are accessed in whole vectors. */

#include "vector.h"

#define TASK 65536    /* values of a task: a part of the second-level cache */
#define LARGE 8000000 /* values of an output that bypasses the caches: 32 MB */
#define SMALL 100000  /* values below which one thread is faster than two: some 10 us */

typedef int places __attribute__((vector_size(4 * LANES)));

/* rows[i][j] <-> rows[j][i], in blocks of 1, 2, 4 ... */
INLINE void transpose(vec *rows) {
#pragma GCC unroll 4
    for (int block = 1; block < LANES; block *= 2) {
        places low, high; /* lanes of both rows that form the new first and the new second row */
#pragma GCC unroll 16
        for (int j = 0; j < LANES; j++) {
            low[j] = j & block ? LANES + j - block : j;
            high[j] = j & block ? LANES + j : j + block;
        }
#pragma GCC unroll 16
        for (int i = 0; i < LANES; i++)
            if (!(i & block)) {
                vec first = rows[i], second = rows[i + block];
                rows[i] = __builtin_shuffle(first, second, low);
                rows[i + block] = __builtin_shuffle(first, second, high);
            }
    }
}

/* x (B, C, H, P) -> y (B, P, H, C), or y -> x if `back`. */
void gcnn_layout(float *x, float *y, long B, long C, long H, long P, int back, long threads) {
    long M = H * C, run = ceil_div(MAX(TASK / M, LANES), LANES) * LANES, blocks = ceil_div(P, run); /* in pixels */
    int streaming = LANES == 16 && !back && streams(y, B * P, M, LARGE); /* 16 lanes are a cache line */
#pragma omp parallel for num_threads(B * M * P < SMALL ? 1 : threads) schedule(dynamic)
    for (long task = 0; task < B * blocks; task++) {
        long b = task / blocks, first = task % blocks * run, last = MIN(first + run, P);
        float *maps = x + b * M * P, *images = y + b * P * M;
        for (long m = 0; m < M; m += LANES) {
            long channels = MIN(LANES, M - m);
            float *rows[LANES];
            for (long i = 0; i < channels; i++) rows[i] = maps + ((m + i) % C * H + (m + i) / C) * P;
            for (long p = first; p < last; p += LANES) {
                long pixels = MIN(LANES, last - p);
                if (channels == LANES && pixels == LANES) {
                    vec tile[LANES];
#pragma GCC unroll 16
                    for (int i = 0; i < LANES; i++) tile[i] = load(back ? images + (p + i) * M + m : rows[i] + p);
                    transpose(tile);
#pragma GCC unroll 16
                    for (int i = 0; i < LANES; i++)
                        if (streaming)
                            stream(images + (p + i) * M + m, tile[i]);
                        else
                            store(back ? rows[i] + p : images + (p + i) * M + m, tile[i]);
                } else {
                    for (long i = 0; i < channels; i++)
                        for (long j = 0; j < pixels; j++) {
                            float *map = rows[i] + p + j, *image = images + (p + j) * M + m + i;
                            *(back ? map : image) = *(back ? image : map);
                        }
                }
            }
        }
        streamed();
    }
}
