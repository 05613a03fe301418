/* exact: True, headers: , 0 bytes stored, 0 on the stack */

static float forest_tree(const float *x)
{
    if (x[0] <= -0.3f) {
        if (x[1] <= -0.90000004f) {
            return -0.17f;
        }
        return 1.66f;
    }
    if (x[3] <= -0.70000005f) {
        return 0.66f;
    }
    return 1.66f;
}

static float forest_tree2(const float *x)
{
    if (x[3] <= -1.8000001f) {
        if (x[3] <= -0.0f) {
            return -0.65f;
        }
        return 1.66f;
    }
    if (x[1] <= -0.90000004f) {
        return -0.17f;
    }
    return 0.66f;
}

static void forest_trees(const float *x, float *y)
{
    float sum = 0.0f;
    sum += forest_tree(x);
    sum += forest_tree2(x);
    y[0] = sum * 0.5f;
}

static void forest_chain(const float *x, float *y)
{
    forest_trees(x, y);
}
