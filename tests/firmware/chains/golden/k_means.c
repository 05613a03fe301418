/* exact: True, headers: stdint.h, 48 bytes stored, 24 on the stack */

/* Prototypes, 3 rows of 2. */
static const double k_means_prototypes1[6] = {
    0.0, 0.5, 2.0, -1.25, 0.1, 3.0,
};

static double k_means_squared(const double *x, const double *prototype, unsigned d)
{
    double sum = 0.0;
    for (unsigned j = 0u; j < d; j++) {
        const double z = x[j] - K_MEANS_READD(prototype + j);
        sum += z * z;
    }
    return sum;
}

static void k_means_distances(const double *x, double *y)
{
    const double *prototype = k_means_prototypes1;
    for (unsigned i = 0u; i < 3u; i++) {
        y[i] = k_means_squared(x, prototype, 2u);
        prototype = &prototype[2];
    }
}

static void k_means_least(const double *x, double *y, unsigned n)
{
    unsigned winner = 0u;
    for (unsigned i = 1u; i < n; i++) {
        if (x[i] < x[winner]) {
            winner = i;
        }
    }
    y[0] = (double)winner;
}

static void k_means_chain(const double *x, double *y)
{
    double a[3];
    k_means_distances(x, a);
    k_means_least(a, y, 3u);
}
