"""The operators that an exported graph may call: a closed list, none of which leaves the tensors.

Some of torch's own operators open files (``aten.from_file``); a graph is therefore never allowed
whatever torch knows, only what stands here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

_ATEN = """
abs acos acosh add.Tensor add.Scalar addmm alias all.dim amax amin any.dim asin asinh atan atan2
atanh adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool2d avg_pool1d avg_pool2d avg_pool3d
argmax argmin baddbmm batch_norm bitwise_and.Tensor bitwise_not bitwise_or.Tensor bmm
broadcast_tensors cat ceil celu chunk clamp clamp.Tensor clamp_max clamp_min clone concat
constant_pad_nd contiguous conv1d conv1d.padding conv2d conv2d.padding conv3d conv_transpose1d
conv_transpose2d.input convolution cos cosh cumsum detach detach_ div.Tensor div.Scalar
div.Tensor_mode dot dropout einsum elu embedding eq.Scalar eq.Tensor erf erfc exp exp2 expand
expand_as expm1 feature_dropout flatten.using_ints flip floor floor_divide fmod.Tensor full
full_like gather ge.Scalar ge.Tensor gelu glu group_norm gru.input gt.Scalar gt.Tensor hardshrink
hardsigmoid hardswish hardtanh index.Tensor index_select instance_norm layer_norm le.Scalar
le.Tensor leaky_relu lerp.Scalar lerp.Tensor linalg_vector_norm linear log log10 log1p log2
log_sigmoid log_softmax.int logical_and logical_not logical_or logsumexp lstm.input lt.Scalar
lt.Tensor masked_fill.Scalar matmul max max.dim max.other max_pool1d max_pool2d max_pool3d
maximum mean mean.dim min min.dim min.other minimum mish mm movedim.int mul.Tensor mul.Scalar
multiply.Tensor mv narrow ne.Scalar ne.Tensor neg new_full new_ones new_zeros norm.ScalarOpt_dim
numpy_T one_hot ones ones_like pad permute pixel_shuffle pow.Scalar pow.Tensor_Scalar
pow.Tensor_Tensor prelu prod prod.dim_int reciprocal relu relu6 remainder.Scalar
remainder.Tensor repeat repeat_interleave.self_int reshape roll round rsqrt rsub.Scalar rsub.Tensor
scalar_tensor scaled_dot_product_attention select.int selu sigmoid sign silu sin sinh
slice.Tensor softmax.int softplus softshrink split.Tensor split.sizes split_with_sizes sqrt square
squeeze squeeze.dim squeeze.dims stack std.correction std.dim sub.Tensor sub.Scalar sum
sum.dim_IntList sym_size.int t tan tanh threshold tile to.dtype to.dtype_layout transpose.int tril
triu true_divide.Tensor type_as unbind.int unflatten.int unfold unsqueeze upsample_nearest2d.vec
upsample_bilinear2d.vec var.correction var.dim view where.self where.ScalarSelf where.ScalarOther
where.Scalar zeros zeros_like _to_copy _unsafe_view _softmax _log_softmax
_native_batch_norm_legit_no_training native_layer_norm relu_ tanh_ sigmoid_ add_.Tensor mul_.Tensor
sub_.Tensor div_.Tensor leaky_relu_ hardtanh_ elu_ silu_ hardswish_ arange arange.start
"""

ATEN = frozenset(name if "." in name else f"{name}.default" for name in _ATEN.split())
"""Functions of tensors alone, by name and overload; all they can cost is time and memory."""

SIZES: dict[str, Callable[..., Any]] = {
    f"_operator.{name}": getattr(operator, name)
    for name in ("add", "sub", "mul", "floordiv", "mod", "neg", "eq", "ne", "ge", "le", "gt", "lt")
}
"""Arithmetic of sizes."""

CHECKS = frozenset(
    f"torch.ops.aten.{name}"
    for name in (
        "_assert_scalar.default",
        "_assert_tensor_metadata.default",
        "_assert_async.msg",
        "sym_constrain_range_for_size.default",
        "sym_constrain_range.default",
    )
)
"""What the exporter checks on the way; passed over, because nothing is computed by it."""


def operator_named(target: str) -> Callable[..., Any] | None:
    """The operator that a graph calls ``target``; None for one that is not allowed."""
    import torch

    if target in SIZES:
        return SIZES[target]
    prefix = "torch.ops.aten."
    if not target.startswith(prefix) or target[len(prefix) :] not in ATEN:
        return None
    name, overload = target[len(prefix) :].split(".")
    found: Callable[..., Any] | None = getattr(getattr(torch.ops.aten, name, None), overload, None)
    return found
