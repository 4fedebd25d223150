/* Kernels from their nets: two sine layers and a linear one at N points, gathered to the places of a kernel.

   All values are stored transposed, (features, points), with the points padded to whole vectors, so that no product
   needs a transposed copy. The first point of the padding, N, has the value zero, for places outside the disc. */

#include <math.h>

#include "product.h"

#define VALUES 16    /* least number of kernel values that a task computes at once */
#define SMALL 400000 /* multiply-accumulates below which one thread is faster than two: some 10 us */

typedef int whole __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* sin and cos to 1e-7: the nearest multiple of pi/2 is subtracted in three parts; polynomials as in Cephes. */
INLINE void sine_cosine(vec x, vec *sine, vec *cosine) {
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding it rounds a number to a whole one */
    vec shifted = x * 0.636619772367581f + magic, n = shifted - magic;
    vec r = x - n * 1.5703125f;
    r = r - n * 4.837512969970703125e-4f;
    r = r - n * 7.54978995489188216e-8f;
    vec z = r * r;
    vec s = r + r * z * (-1.6666654611e-1f + z * (8.3321608736e-3f + z * -1.9515295891e-4f));
    vec c = 1.0f - 0.5f * z + z * z * (4.166664568298827e-2f + z * (-1.388731625493765e-3f + z * 2.443315711809948e-5f));
    whole quarter = (whole)shifted, odd = -(quarter & 1), ones = odd - odd + 1;
    whole sine_sign = (quarter & 2) << 30, cosine_sign = ((quarter + ones) & 2) << 30;
    *sine = (vec)((((whole)c & odd) | ((whole)s & ~odd)) ^ sine_sign);
    *cosine = (vec)((((whole)s & odd) | ((whole)c & ~odd)) ^ cosine_sign);
}

/* Sines and cosines of n values, a whole number of vectors. Large values, whose multiples of pi/2 lose digits, go to
   libm. */
void gcnn_sine_cosine(const float *x, float *sine, float *cosine, long n) {
    for (long i = 0; i < n; i += LANES) {
        vec s, c;
        sine_cosine(load(x + i), &s, &c);
        int large = 0;
        for (int j = 0; j < LANES; j++) large |= !(fabsf(x[i + j]) < 8192);
        if (large)
            for (int j = 0; j < LANES; j++) s[j] = sinf(x[i + j]), c[j] = cosf(x[i + j]);
        store(sine + i, s), store(cosine + i, c);
    }
}

/* to (J, I padded to `row`) = from (I, J) transposed; the padding becomes zero. */
static void turn(const float *from, long I, long J, float *to, long row) {
    memset(to, 0, J * row * sizeof(float));
    for (long i = 0; i < I; i++)
        for (long j = 0; j < J; j++) to[j * row + i] = from[i * J + j];
}

/* Number of points with the padding, which contains at least one point. */
static long padded(long N) { return ceil_div(N + 1, LANES) * LANES; }

/* Output channels of a task. */
static long channels_of_task(long C_i) { return ceil_div(VALUES, C_i); }

/* Whether all A * T places have a point, or the one after the last, which is zero. */
static int within(const long long *index, long count, long N) {
    int is_within = 1;
    for (long i = 0; i < count; i++) is_within &= index[i] >= 0 && index[i] <= N;
    return is_within;
}

/* Threads that are worth using. */
static long threads_for(long values, long N, long hidden, long threads) {
    return values * N * hidden < SMALL ? 1 : threads;
}

/* Floats that forward keeps for backward; floats of scratch of the forward and of the backward pass. */
void gcnn_siren_memory(long N, long d, long hidden, long C_o, long C_i, long threads, long *floats) {
    long P = padded(N), values = channels_of_task(C_i) * C_i;
    threads = threads_for(C_o * C_i, N, hidden, threads);
    floats[0] = (4 * hidden + 1) * P + N * hidden;
    floats[1] = d * P + hidden * P + threads * values * P;
    floats[2] = threads * (values * P + N * hidden) + 3 * N * hidden + d * hidden;
}

/* Write omega * (w x + bias) of all points into `z`, and compute the sines and cosines of z. */
static void sine_layer(const float *w, const float *bias, long I, long K, const float *x, long P, float omega, float *z,
                       float *sine, float *cosine) {
    product(I, P, K, w, K, 1, x, P, z, P, 0);
    for (long i = 0; i < I; i++)
        for (long p = 0; p < P; p += LANES) store(z + i * P + p, omega * (load(z + i * P + p) + bias[i]));
    gcnn_sine_cosine(z, sine, cosine, I * P);
}

/* out (A, C_o, T, C_i): at [a, o, t, i] the value [o, i] of the point index[a, t], which is zero for the point N.

   index (A, T); coordinates (N, d); weights (N), factors of the values; the parameters of the net as in kernel_nets.py.
   kept, scratch: see gcnn_siren_memory. Returns 0, and writes nothing, where a value of the index is not in 0 ... N. */
int gcnn_siren(const float *coordinates, const float *weights, const long long *index, const float *w_first,
                const float *b_first, const float *w_hidden, const float *b_hidden, const float *w_last,
                const float *b_last, float *out, float *kept, float *scratch, float omega, long N, long d, long hidden,
                long A, long T, long C_o, long C_i, long threads) {
    if (!within(index, A * T, N)) return 0;
    long P = padded(N), step = channels_of_task(C_i);
    float *first = kept, *first_cos = first + hidden * P, *second = first_cos + hidden * P;
    float *second_cos = second + hidden * P, *weight = second_cos + hidden * P, *upright = weight + P;
    float *x = scratch, *z = x + d * P, *tasks = z + hidden * P;
    turn(coordinates, N, d, x, P);
    turn(weights, N, 1, weight, P);
    sine_layer(w_first, b_first, hidden, d, x, P, omega, z, first, first_cos);
    sine_layer(w_hidden, b_hidden, hidden, hidden, first, P, omega, z, second, second_cos);
    for (long n = 0; n < N; n++)
        for (long h = 0; h < hidden; h++) upright[n * hidden + h] = second[h * P + n];
#pragma omp parallel for num_threads(threads_for(C_o * C_i, N, hidden, threads)) schedule(static)
    for (long o = 0; o < C_o; o += step) {
        long count = MIN(step, C_o - o) * C_i;
        float *values = tasks + omp_get_thread_num() * step * C_i * P;
        product(count, P, hidden, w_last + o * C_i * hidden, hidden, 1, second, P, values, P, 0);
        for (long f = 0; f < count; f++)
            for (long p = 0; p < P; p += LANES)
                store(values + f * P + p, (load(values + f * P + p) + b_last[o * C_i + f]) * load(weight + p));
        for (long a = 0; a < A; a++)
            for (long f = 0; f < count; f += C_i) {
                float *to = out + (a * C_o + o + f / C_i) * T * C_i;
                for (long t = 0; t < T; t++)
                    for (long i = 0; i < C_i; i++) *to++ = values[(f + i) * P + index[a * T + t]];
            }
    }
    return 1;
}

/* Gradients of the six parameters from g (A, C_o, T, C_i), the output's gradient. Returns as gcnn_siren. */
int gcnn_siren_backward(const float *g, const float *coordinates, const long long *index, const float *w_hidden,
                         const float *w_last, const float *kept, float *g_w_first, float *g_b_first, float *g_w_hidden,
                         float *g_b_hidden, float *g_w_last, float *g_b_last, float *scratch, float omega, long N,
                         long d, long hidden, long A, long T, long C_o, long C_i, long threads) {
    if (!within(index, A * T, N)) return 0;
    long P = padded(N), step = channels_of_task(C_i), parts = threads_for(C_o * C_i, N, hidden, threads);
    const float *first = kept, *first_cos = first + hidden * P, *second_cos = first + 3 * hidden * P;
    const float *weight = second_cos + hidden * P, *upright = weight + P;
    long values = step * C_i, part = values * P + N * hidden;
    float *g_second = scratch + parts * part, *g_first = g_second + N * hidden, *turned = g_first + N * hidden;
    float *g_turned = turned + N * hidden;
#pragma omp parallel for num_threads(parts) schedule(static)
    for (long share = 0; share < parts; share++) {
        float *g_values = scratch + share * part, *g_features = g_values + values * P;
        long tasks = ceil_div(C_o, step);
        memset(g_features, 0, N * hidden * sizeof(float));
        for (long task = share * tasks / parts; task < (share + 1) * tasks / parts; task++) {
            long o = task * step, count = MIN(step, C_o - o) * C_i;
            memset(g_values, 0, count * P * sizeof(float));
            for (long a = 0; a < A; a++)
                for (long f = 0; f < count; f += C_i) {
                    const float *from = g + (a * C_o + o + f / C_i) * T * C_i;
                    for (long t = 0; t < T; t++)
                        for (long i = 0; i < C_i; i++) g_values[(f + i) * P + index[a * T + t]] += *from++;
                }
            for (long f = 0; f < count; f++) {
                float sum = 0;
                for (long p = 0; p < P; p += LANES)
                    store(g_values + f * P + p, load(g_values + f * P + p) * load(weight + p));
                for (long n = 0; n < N; n++) sum += g_values[f * P + n];
                g_b_last[o * C_i + f] = sum;
            }
            product(count, hidden, N, g_values, P, 1, upright, hidden, g_w_last + o * C_i * hidden, hidden, 0);
            product(N, hidden, count, g_values, 1, P, w_last + o * C_i * hidden, hidden, g_features, hidden, 1);
        }
    }
    for (long n = 0; n < N; n++)
        for (long h = 0; h < hidden; h++) {
            float sum = 0;
            for (long share = 0; share < parts; share++) sum += scratch[share * part + values * P + n * hidden + h];
            g_second[n * hidden + h] = sum * omega * second_cos[h * P + n];
            turned[n * hidden + h] = first[h * P + n];
        }
    product(hidden, hidden, N, g_second, 1, hidden, turned, hidden, g_w_hidden, hidden, 0);
    product(N, hidden, hidden, g_second, hidden, 1, w_hidden, hidden, g_first, hidden, 0);
    memset(g_b_first, 0, hidden * sizeof(float));
    memset(g_b_hidden, 0, hidden * sizeof(float));
    for (long n = 0; n < N; n++)
        for (long h = 0; h < hidden; h++) {
            g_first[n * hidden + h] *= omega * first_cos[h * P + n];
            g_b_first[h] += g_first[n * hidden + h], g_b_hidden[h] += g_second[n * hidden + h];
        }
    product(d, hidden, N, coordinates, 1, d, g_first, hidden, g_turned, hidden, 0);
    for (long h = 0; h < hidden; h++)
        for (long i = 0; i < d; i++) g_w_first[h * d + i] = g_turned[i * hidden + h];
    return 1;
}
