"""Bits in which one row differs from many, eight rows at a time: the innermost loop of the nearest search.

Built instruction by instruction, since a compiler left to itself adds up only as many words as it can hold in registers
at once: here the sums run on over all words, as in kernels.count8 they cannot. Rule as in kernels.py; the plain twin is
naive.distances.
"""

# ruff: noqa: ARG001 (the compiler gives the types of all arguments, and some are known)

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from linkage.match.kernels import COUNTED

_EIGHT = 8  # words whose bits are added up at a time
LANES = 8  # rows side by side: two AVX2 registers, one of AVX-512; anything narrower is split by LLVM

MOST_WORDS = 8
"""Words of a row that within_lanes compares at most."""

_WORD, _PLACE = ir.IntType(64), ir.IntType(32)
_VECTOR = ir.VectorType(_WORD, LANES)
_NONE = ir.Constant(_VECTOR, [0] * LANES)


def _arrays(context: Any, builder: Any, signature: Any, arguments: Any, places: tuple[int, ...]) -> list[Any]:
    """Addresses of the first elements of some array arguments."""
    return [context.make_array(signature.args[at])(context, builder, arguments[at]).data for at in places]


def _vector(builder: Any, address: Any) -> Any:
    """Where a vector stands, whose first element stands there."""
    return builder.bitcast(address, _VECTOR.as_pointer())


def _everywhere(builder: Any, word: Any) -> Any:
    """A vector with one word in all lanes."""
    alone = builder.insert_element(_NONE, word, _PLACE(0))
    return builder.shuffle_vector(alone, _NONE, ir.Constant(ir.VectorType(_PLACE, LANES), [0] * LANES))


def _bits(builder: Any, words: Any) -> Any:
    """Set bits of each word of a vector."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR])
    name = f"llvm.ctpop.v{LANES}i64"
    counter = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    return builder.call(counter, [words])


def _add3(builder: Any, a: Any, b: Any, c: Any) -> tuple[Any, Any]:
    """64 one-bit full adders a lane: sum bits and carry bits."""
    half = builder.xor(a, b)
    return builder.xor(half, c), builder.or_(builder.and_(a, b), builder.and_(half, c))


def _loop(
    builder: Any, span: tuple[Any, Any, int], held: list[Any], body: Callable[[Any, list[Any]], list[Any]]
) -> list[Any]:
    """For place in range(start, stop, step): held = body(place, held); returns what is held in the end."""
    begin, stop, step = span
    before = builder.block
    head, inside, after = (builder.append_basic_block(name) for name in ("head", "inside", "after"))
    builder.branch(head)
    builder.position_at_end(head)
    place = builder.phi(_WORD)
    now = [builder.phi(one.type) for one in held]
    builder.cbranch(builder.icmp_unsigned("<", place, stop), inside, after)
    builder.position_at_end(inside)
    then = body(place, list(now))
    following = builder.add(place, _WORD(step))
    for phi, first, later in zip([place, *now], [begin, *held], [following, *then], strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(later, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    return now


def _carried(builder: Any, differing: Callable[[int], Any], held: list[Any]) -> list[Any]:
    """Eight words more: sums of weight 1, 2 and 4 run on, and only what they carry to weight 8 is counted."""
    total, *sums = held

    def carried(weight: int, start: int) -> Any:
        """What 2 ** weight words from `start` carry over the sums of lower weights."""
        if weight == 0:
            return differing(start)
        low, high = carried(weight - 1, start), carried(weight - 1, start + (1 << weight - 1))
        sums[weight - 1], carry = _add3(builder, sums[weight - 1], low, high)
        return carry

    counted = builder.shl(_bits(builder, carried(3, 0)), ir.Constant(_VECTOR, [3] * LANES))
    return [builder.add(total, counted), *sums]


def _counted(builder: Any, differing: Callable[[int], Any], held: list[Any]) -> list[Any]:
    """Eight words more, each counted by itself."""
    (total,) = held
    for word in range(_EIGHT):
        total = builder.add(total, _bits(builder, differing(word)))
    return [total]


def _summed(builder: Any, held: list[Any]) -> Any:
    """What is held, all counted."""
    total, *sums = held
    for weight, one_sum in enumerate(sums):
        counted = builder.shl(_bits(builder, one_sum), ir.Constant(_VECTOR, [weight] * LANES))
        total = builder.add(total, counted)
    return total


def lanes(*, carry: bool) -> Any:
    """The code of differing_lanes. carry: bits are added up before they are counted.

    That pays where no instruction counts the bits of a whole vector; where one does, it takes half as long again.
    """

    def _lanes(_context: Any, row: Any, slabs: Any, words: Any, most: Any, each: Any, counts: Any, near: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            one, many, bounds, out, masks = _arrays(context, builder, signature, arguments, (0, 1, 4, 5, 6))
            rows = context.make_array(signature.args[5])(context, builder, arguments[5]).nitems
            bound, words = _everywhere(builder, arguments[3]), arguments[2]
            eights = builder.and_(words, _WORD(-_EIGHT))

            def slab(start: Any, _held: list[Any]) -> list[Any]:
                first = builder.gep(many, [builder.mul(start, words)])

                def differing(at: Any, nth: int) -> Any:
                    place = builder.add(at, _WORD(nth))
                    address = builder.gep(first, [builder.mul(place, _WORD(LANES))])
                    theirs = builder.load(_vector(builder, address), align=8)
                    return builder.xor(_everywhere(builder, builder.load(builder.gep(one, [place]))), theirs)

                def eight(at: Any, held: list[Any]) -> list[Any]:
                    return (_carried if carry else _counted)(builder, partial(differing, at), held)

                def single(at: Any, held: list[Any]) -> list[Any]:
                    return [builder.add(held[0], _bits(builder, differing(at, 0)))]

                total, *sums = _loop(builder, (_WORD(0), eights, _EIGHT), [_NONE] * (4 if carry else 1), eight)
                (total,) = _loop(builder, (eights, words, 1), [total], single)
                total = _summed(builder, [total, *sums])
                builder.store(total, _vector(builder, builder.gep(out, [start])), align=8)
                theirs = builder.load(_vector(builder, builder.gep(bounds, [start])), align=8)
                within = (builder.icmp_signed("<=", total, one_bound) for one_bound in (bound, theirs))
                mask = builder.bitcast(builder.or_(*within), ir.IntType(LANES))
                builder.store(mask, builder.gep(masks, [builder.udiv(start, _WORD(LANES))]))
                return []

            _loop(builder, (_WORD(0), rows, LANES), [], slab)
            return context.get_dummy_value()

        return types.void(row, slabs, types.int64, types.int64, each, counts, near), generate

    return intrinsic(_lanes)


differing_lanes = lanes(carry=not COUNTED)
"""(row, slabs, words, most, each, counts, near): counts[j] becomes the bits in which the first words of row differ from
those of row j, and bit j of near is set where these are at most `most` or each[j].

slabs: (rows / LANES, words, LANES) uint64, LANES rows turned on their side at a time. each, counts: (rows,) int64.
near: (rows / LANES,) uint8. Source of the sums carried: Harley & Seal; Mula, Kurz & Lemire 2018, section 3.
"""


def few_lanes(*, carry: bool) -> Any:
    """The code of within_lanes. carry: as in lanes."""

    def _few(_context: Any, row: Any, slabs: Any, words: Any, most: Any, near: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            one, many, masks = _arrays(context, builder, signature, arguments, (0, 1, 4))
            count = context.make_array(signature.args[4])(context, builder, arguments[4]).nitems
            bound, after = _everywhere(builder, arguments[3]), builder.append_basic_block("after")
            cases = builder.switch(arguments[2], after)

            def search(words: int) -> None:
                """The loop over all slabs for so many words, each of the row's in a register."""
                ours = [_everywhere(builder, builder.load(builder.gep(one, [_WORD(word)]))) for word in range(words)]

                def slab(at: Any, _held: list[Any]) -> list[Any]:
                    def differing(word: int) -> Any:
                        place = builder.add(builder.mul(at, _WORD(LANES * words)), _WORD(LANES * word))
                        theirs = builder.load(_vector(builder, builder.gep(many, [place])), align=8)
                        return builder.xor(ours[word], theirs)

                    held = [_NONE] * (4 if carry else 1)
                    if words == _EIGHT:
                        held = (_carried if carry else _counted)(builder, differing, held)
                    for word in range(words % _EIGHT):
                        held[0] = builder.add(held[0], _bits(builder, differing(word)))
                    within = builder.icmp_signed("<=", _summed(builder, held), bound)
                    builder.store(builder.bitcast(within, ir.IntType(LANES)), builder.gep(masks, [at]))
                    return []

                _loop(builder, (_WORD(0), count, 1), [], slab)
                builder.branch(after)

            for few in range(1, MOST_WORDS + 1):
                case = builder.append_basic_block(f"words{few}")
                cases.add_case(_WORD(few), case)
                builder.position_at_end(case)
                search(few)
            builder.position_at_end(after)
            return context.get_dummy_value()

        return types.void(row, slabs, types.int64, types.int64, near), generate

    return intrinsic(_few)


within_lanes = few_lanes(carry=not COUNTED)
"""(row, slabs, words, most, near): bit j of near is set where the first words of row j differ from those of row in at
most `most` bits. words: 1 to MOST_WORDS; up to half the time of differing_lanes.

slabs, near: as there.
"""


def _behind(_context: Any, left: Any, right: Any, i: Any, j: Any, first: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        sides = _arrays(context, builder, signature, arguments, (0, 1))
        width = builder.extract_value(context.make_array(signature.args[0])(context, builder, arguments[0]).shape, 1)
        starts = [
            builder.gep(side, [builder.add(builder.mul(row, width), arguments[4])])
            for side, row in zip(sides, arguments[2:4], strict=True)
        ]
        words = builder.sub(width, arguments[4])
        whole = builder.and_(words, _WORD(-LANES))

        def some(at: Any, held: list[Any]) -> list[Any]:
            here, there = (builder.load(_vector(builder, builder.gep(start, [at])), align=8) for start in starts)
            return [builder.add(held[0], _bits(builder, builder.xor(here, there)))]

        def single(at: Any, held: list[Any]) -> list[Any]:
            here, there = (builder.load(builder.gep(start, [at])) for start in starts)
            count = builder.module.declare_intrinsic("llvm.ctpop", [_WORD])
            return [builder.add(held[0], builder.call(count, [builder.xor(here, there)]))]

        (total,) = _loop(builder, (_WORD(0), whole, LANES), [_NONE], some)
        each = [builder.extract_element(total, _PLACE(lane)) for lane in range(LANES)]
        while len(each) > 1:
            each = [builder.add(*two) for two in zip(each[::2], each[1::2], strict=True)]
        return _loop(builder, (whole, words, 1), each, single)[0]

    return types.int64(left, right, types.int64, types.int64, types.int64), generate


differing_behind: Any = intrinsic(_behind)
"""(left, right, i, j, first): bits in which the words from `first` on of row i and of row j differ.

left, right: (n, w), (m, w) uint64.
"""


def _lowest(_context: Any, word: Any) -> Any:
    def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.int64(types.uint64), (generate if word == types.uint64 else None)


lowest_bit: Any = intrinsic(_lowest)
"""Place of the lowest set bit of a uint64 that is not 0, as int64."""
