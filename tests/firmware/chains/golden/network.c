/* exact: False, headers: math.h, stdint.h, 44 bytes stored, 20 on the stack */

/* Weights, 3 rows of 2. */
static const float network_weights1[6] = {
    -1.0f, -0.875f, -0.75f, -0.625f, -0.5f, -0.375f,
};

/* Biases. */
static const float network_bias1[3] = {
    0.0f, 0.25f, 0.5f,
};

/* Biases. */
static const float network_bias2[2] = {
    0.0f, 0.25f,
};

static void network_affine(
    const float *x, float *y, const float *weights, const float *bias, unsigned d, unsigned k)
{
    for (unsigned i = 0u; i < k; i++) {
        float sum = NETWORK_READF(bias + i);
        for (unsigned j = 0u; j < d; j++) {
            sum += NETWORK_READF(weights + j) * x[j];
        }
        weights = &weights[d];
        y[i] = sum;
    }
}

static void network_tanh(const float *x, float *y, unsigned n)
{
    for (unsigned i = 0u; i < n; i++) {
        const float t = x[i];
        y[i] = tanhf(t);
    }
}

static void network_winner(const float *x, float *y, unsigned n)
{
    unsigned winner = 0u;
    for (unsigned i = 1u; i < n; i++) {
        if (x[i] > x[winner]) {
            winner = i;
        }
    }
    y[0] = (float)winner;
}

static void network_chain(const float *x, float *y)
{
    float a[3];
    float b[2];
    network_affine(x, a, network_weights1, network_bias1, 2u, 3u);
    network_tanh(a, a, 3u);
    network_affine(a, b, network_weights1, network_bias2, 3u, 2u);
    network_winner(b, y, 2u);
}
