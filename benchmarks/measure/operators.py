"""Which operators of torch do multiply–accumulates (MACs): those with a rule here or in torch's counter, and no others.

``Census`` notes the operators of a pass as torch's dispatcher sees them, after ``tensordot``, ``linear`` or an einsum
have become products of matrices. An operator is known to do no MACs if torch marks it as elementwise, if it returns a
view, or if it is named here. Any other operator without a rule, such as a Fourier transform, a sparse product or an
operator of somebody's own, may do MACs, so that the MACs of the pass are unknown.

Products that are written as a multiplication of elements and a sum are not MACs here, as in fvcore.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

# Operators without MACs that torch does not mark as elementwise or as views, without a trailing underscore.
_WITHOUT_MACS = re.compile(
    # reductions and the functions that consist of them
    r"sum|nansum|mean|prod|amax|amin|aminmax|max|min|any|all|argmax|argmin|var|std|var_mean|std_mean|norm|median"
    r"|linalg_vector_norm|logsumexp|cumsum|cumprod|cummax|cummin|logcumsumexp|count_nonzero|_log_softmax|_softmax"
    # comparisons of whole tensors, and what is counted or searched in them
    r"|allclose|equal|is_same_size|isin|dist|kthvalue|mode|histc|bincount|_?unique\w*|argsort|msort|item|is_nonzero"
    # copies, in whatever order
    r"|cat|stack|index|index_put|_index_put_impl|_unsafe_index|_unsafe_index_put|index_select|index_copy|index_fill"
    r"|index_add|gather|scatter|scatter_add|scatter_reduce|masked_fill|masked_scatter|masked_select|nonzero|copy|_to_copy"
    r"|clone|_conj_copy|constant_pad_nd|(reflection|replication)_pad[123]d|roll|flip|rot90|repeat|repeat_interleave"
    r"|im2col|col2im|pixel_shuffle|pixel_unshuffle|channel_shuffle|sort|topk|tril|triu|embedding|_unsafe_view"
    r"|_reshape_alias|_reshape_copy|lift|lift_fresh|lift_fresh_copy|detach|alias|resize|set|_local_scalar_dense"
    r"|(select|slice|diagonal|as_strided)_scatter|diag_embed|trace|bucketize|searchsorted|\w+_copy|complex|polar|where"
    r"|split|split_with_sizes|unbind|chunk|unsafe_split|unsafe_chunk"
    # new tensors
    r"|empty|zeros|ones|full|arange|linspace|logspace|eye|scalar_tensor|empty_strided|tril_indices|triu_indices"
    r"|(new|\w+)_(empty|zeros|ones|full|empty_strided)|\w+_like|fill|zero|rand|randn|randint|randperm|bernoulli|normal"
    r"|uniform|native_dropout|feature_dropout|_fused_dropout"
    # pooling, normalisation, and interpolation by the nearest pixel
    r"|(_?adaptive_)?(avg|max)_pool[123]d|max_pool[123]d_with_indices|(native|cudnn|miopen)_(batch|layer|group)_norm"
    r"|_?native_batch_norm_legit(_functional|_no_training)?|batch_norm_elemt|_batch_norm_with_update(_functional)?"
    r"|_fused_rms_norm|_?upsample_nearest(_exact)?[123]d"
)


def _matrix_vector(matrix: Sequence[int], *_: Any, out_shape: Any = None, **__: Any) -> int:
    return 2 * math.prod(matrix)


def _summand_first(summand: Sequence[int], matrix: Sequence[int], *_: Any, out_shape: Any = None, **__: Any) -> int:
    return 2 * math.prod(matrix)


def _sum_of_products(
    summand: Any, a: Sequence[int], b: Sequence[int], *_: Any, out_shape: Any = None, **__: Any
) -> int:
    return 2 * math.prod(a) * b[-1]


def _four_neighbours(*_: Any, out_shape: Any = None, **__: Any) -> int:
    return 2 * 4 * int(math.prod(out_shape))


def _affine_grid(theta: Sequence[int], *_: Any, out_shape: Any = None, **__: Any) -> int:
    return 2 * theta[-1] * int(math.prod(out_shape))


def _grid_sample(x: Sequence[int], grid: Sequence[int], mode: int, *_: Any, out_shape: Any = None, **__: Any) -> int:
    neighbours = {0: 4, 1: 0, 2: 16}[mode]  # bilinear, nearest, bicubic
    return 2 * neighbours * int(math.prod(out_shape))


_aten = torch.ops.aten
# Two operations for each MAC, as in the rules of torch's counter, which has none for these operators.
RULES: Mapping[Any, Any] = {
    _aten.mv: _matrix_vector,
    _aten.dot: _matrix_vector,
    _aten.vdot: _matrix_vector,
    _aten.addmv: _summand_first,
    _aten.addbmm: _sum_of_products,
    _aten.upsample_bilinear2d: _four_neighbours,
    _aten.affine_grid_generator: _affine_grid,
    _aten.grid_sampler_2d: _grid_sample,
}


class Census(TorchDispatchMode):
    """Notes the names of the operators whose MACs are unknown, and how often each ran, in ``unknown``."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.unknown: dict[str, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        packet = func.overloadpacket if isinstance(func, torch._ops.OpOverload) else func
        if packet not in flop_registry and packet not in RULES and not does_no_macs(func):
            name = str(func.name()).partition(".")[0] if callable(getattr(func, "name", None)) else str(func)
            self.unknown[name] = self.unknown.get(name, 0) + 1
        return func(*args, **(kwargs or {}))


def does_no_macs(operator: Any) -> bool:
    """Return whether an operator of the dispatcher is known to do no MACs.

    >>> does_no_macs(torch.ops.aten.sin.default), does_no_macs(torch.ops.aten._fft_r2c.default)
    (True, False)
    """
    if not isinstance(operator, torch._ops.OpOverload):
        return False
    namespace, _, name = operator.name().partition(".")[0].partition("::")
    if namespace == "prim":  # facts about tensors, such as their device
        return True
    if namespace != "aten":
        return False
    if torch.Tag.pointwise in operator.tags or _WITHOUT_MACS.fullmatch(name.removesuffix("_")):
        return True
    returned = operator._schema.returns
    return bool(returned) and all(one.alias_info is not None and not one.alias_info.is_write for one in returned)
