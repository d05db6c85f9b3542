"""Instructions of the processor that Python has no word for; in kernels only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_WORD = ir.IntType(64)


def _popcount(_typing: Any, _word: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


def _prefetch(_typing: Any, array: Any, _index: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind, index = signature.args[0], args[1]
        data = context.make_array(kind)(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(data, [index]), cgutils.voidptr_t)
        flag = ir.IntType(32)
        takes = [cgutils.voidptr_t, flag, flag, flag]
        llvm = builder.module.declare_intrinsic(
            "llvm.prefetch.p0", (), ir.FunctionType(ir.VoidType(), takes)
        )
        # To read (0), wanted soon (3), data (1): https://llvm.org/docs/LangRef.html
        builder.call(llvm, [place, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


def _word_at(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Where eight bytes of an array of bytes begin."""
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), _WORD.as_pointer())


def _swapped(builder: Any, word: Any) -> Any:
    return builder.call(builder.module.declare_intrinsic("llvm.bswap", [_WORD]), [word])


def _load(_typing: Any, array: Any, _index: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = builder.load(_word_at(context, builder, signature.args[0], *args))
        word.align = 1
        return _swapped(builder, word)

    return types.uint64(array, types.intp), generate


def _store(
    _typing: Any, array: Any, _index: Any, _word: Any
) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = _word_at(context, builder, signature.args[0], *args[:2])
        builder.store(_swapped(builder, args[2]), place).align = 1
        return context.get_dummy_value()

    return types.void(array, types.intp, types.uint64), generate


popcount: Any = intrinsic(_popcount)
"""How many bits of a ``uint64`` are set, as ``uint64``: LLVM's ``ctpop``."""
prefetch: Any = intrinsic(_prefetch)
"""Ask for ``array[index]`` (flat, contiguous) to be read into the cache. It never
faults, whatever the index."""
load_word: Any = intrinsic(_load)
"""Eight bytes of a flat ``uint8`` array from ``index`` on, as a ``uint64`` whose
highest bits are the first byte. The caller sees to it that they are all there."""
store_word: Any = intrinsic(_store)
"""Write a ``uint64`` as :func:`load_word` reads it; the room must be there, too."""
