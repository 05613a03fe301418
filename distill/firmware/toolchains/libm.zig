// The functions of libm that zig's library has in Zig and neither its compiler runtime nor the
// bundled C sources have: exported as C names them, for a chip without an operating system.

const math = @import("std").math;

export fn acosf(x: f32) f32 {
    return math.acos(x);
}
export fn atanf(x: f32) f32 {
    return math.atan(x);
}
export fn cbrtf(x: f32) f32 {
    return math.cbrt(x);
}
export fn coshf(x: f32) f32 {
    return math.cosh(x);
}
export fn log1pf(x: f32) f32 {
    return math.log1p(x);
}
export fn tanhf(x: f32) f32 {
    return math.tanh(x);
}
export fn acos(x: f64) f64 {
    return math.acos(x);
}
export fn asin(x: f64) f64 {
    return math.asin(x);
}
export fn atan(x: f64) f64 {
    return math.atan(x);
}
export fn cbrt(x: f64) f64 {
    return math.cbrt(x);
}
export fn cosh(x: f64) f64 {
    return math.cosh(x);
}
export fn log1p(x: f64) f64 {
    return math.log1p(x);
}
export fn tanh(x: f64) f64 {
    return math.tanh(x);
}
