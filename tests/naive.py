"""Plain twins of the compiled kernels: as short as they can be, slow, and meant to be read."""

from __future__ import annotations

import itertools

import numpy as np


def distance(a, b):
    """Bits in which two packed rows differ."""
    return sum((int(x) ^ int(y)).bit_count() for x, y in zip(a, b, strict=True))


def shared(a, b):
    """Bits set in both of two packed rows."""
    return sum((int(x) & int(y)).bit_count() for x, y in zip(a, b, strict=True))


def size(a):
    """Set bits of a packed row."""
    return sum(int(x).bit_count() for x in a)


def distances(left, right):
    """(n, m) bits in which rows differ."""
    return np.bitwise_count(left[:, None, :] ^ right[None, :, :]).sum(axis=2, dtype=np.int64)


def dice(a, b):
    """Dice similarity of two packed rows, 0 where both are empty."""
    total = size(a) + size(b)
    return 2 * shared(a, b) / total if total else 0.0


def insert_best(best, key):
    """The k smallest of a list of k and one more."""
    return sorted([*best, key])[: len(best)]


def nearest(left, right, keep, *, both_sides, furthest):
    """Union of k nearest on each side, as {(left row, right row): distance}; right None: one file with itself."""
    within = right is None
    table = distances(left, left if within else right)
    pairs = {}

    def take(row, column, flip):
        pair = (column, row) if flip else (row, column)
        pair = tuple(sorted(pair)) if within else pair
        pairs[pair] = int(table[pair])

    for i in range(table.shape[0]):
        order = sorted((int(table[i, j]), j) for j in range(table.shape[1]) if not (within and i == j))
        for d, j in order[:keep]:
            if d <= furthest:
                take(i, j, flip=False)
    if both_sides and not within:
        for j in range(table.shape[1]):
            for d, i in sorted((int(table[i, j]), i) for i in range(table.shape[0]))[:keep]:
                if d <= furthest:
                    take(j, i, flip=True)
    return pairs


def nearest_block(left, right, span, best_left, best_right, sides, first, limit):
    """Pair by pair: who passes the first look stands in the lists as far as there is room."""
    for i in range(span[0], span[1]):
        for j in range(max(span[2], i + 1 if sides & 2 else 0), span[3]):
            if distance(left[i, :first], right[j, :first]) <= limit:
                whole = distance(left[i], right[j]) << 32
                best_left[i] = insert_best(best_left[i], whole | j)
                if sides & 1:
                    best_right[j] = insert_best(best_right[j], whole | i)


def nearest_drawn(filters, tickets, asked, means, noise, keep):
    """Of each asked row the k smallest (distance, row) of all others."""
    luck = [[(int(one) + int(two)) % 2**64 * len(noise) >> 64 for two in tickets] for one in tickets[asked]]
    return [
        sorted(
            (int(means[distance(filters[row], other)] + noise[own[j]]), j)
            for j, other in enumerate(filters)
            if j != row
        )[:keep]
        for row, own in zip(asked, luck, strict=True)
    ]


def above(left, right, threshold):
    """{(left row, right row): distance} of all pairs whose Dice similarity reaches the threshold."""
    if right is None:
        candidates = itertools.combinations(range(len(left)), 2)
        right = left
    else:
        candidates = itertools.product(range(len(left)), range(len(right)))
    return {(i, j): distance(left[i], right[j]) for i, j in candidates if dice(left[i], right[j]) >= threshold}


def nearest_of_either(pairs, keep, *, within):
    """Of {(left, right): distance}, those that are among the `keep` nearest of one of their rows."""
    lists = {}
    for (i, j), distance in pairs.items():
        lists.setdefault((0, i), []).append((distance, j))
        lists.setdefault((0 if within else 1, j), []).append((distance, i))
    best = {row: sorted(found)[:keep] for row, found in lists.items()}
    side = 0 if within else 1
    return {(i, j): d for (i, j), d in pairs.items() if (d, j) in best[0, i] or (d, i) in best[side, j]}


def bits_at(row, positions):
    """Sampled bits of a packed row, as text."""
    return "".join(str(int(row[p // 64]) >> (p % 64) & 1) for p in map(int, positions))


def sampled_slots(filters, positions, shift):
    """Slot of every row: top bits of the sampled bits, the first the lowest, times an odd constant."""
    keys = [int(bits_at(row, positions)[::-1], 2) for row in filters]
    return [(key * 0x9E3779B97F4A7C15 & (2**64 - 1)) >> shift for key in keys]


def turned(filters):
    """Columns of a file's bits, each as one whole number whose lowest bit is that of the first row."""
    rows = ["".join(f"{int(word):064b}"[::-1] for word in row) for row in filters]
    return [int("".join(column)[::-1], 2) for column in zip(*rows, strict=True)]


def parted(slots, sizes, low_bits):
    """Rows that have a set bit, in order of the upper bits of their slots, else in their old order."""
    return sorted((row for row, size in enumerate(sizes) if size), key=lambda row: slots[row] >> low_bits)


def first_meetings(left, right, tables):
    """{(left row, right row): first table in which all sampled bits agree}; right None: one file with itself."""
    other = left if right is None else right
    meetings = {}
    for table, positions in enumerate(tables):
        keys = [bits_at(row, positions) for row in other]
        for i, row in enumerate(left):
            for j in range(i + 1 if right is None else 0, len(other)):
                if keys[j] == bits_at(row, positions):
                    meetings.setdefault((i, j), table)
    return meetings


def meetings(left, right):
    """{(left row, right row): (left place, right place)} of the smallest token two rows share; (n, t, 16) bytes."""
    found = {}
    for i, row in enumerate(left):
        for j, other in enumerate(right):
            shared = [
                # Two numbers of 64 bits, little-endian, as the join sees a token; then the first places.
                (int.from_bytes(bytes(a)[:8], "little"), int.from_bytes(bytes(a)[8:], "little"), p, q)
                for p, a in enumerate(row)
                for q, b in enumerate(other)
                if bytes(a) == bytes(b)
            ]
            if shared:
                found[i, j] = min(shared)[2:]
    return found
