"""A plain twin of every loop of linkage/encode: sets of bit numbers, one at a time."""

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from keys.kdf import expand
from keys.labels import Label
from linkage.encode.screening import TOKENS
from linkage.encode.tokens import label


def bits(words):
    """Numbers of the bits set in a row of 64-bit words."""
    return {64 * nth + bit for nth, word in enumerate(words.tolist()) for bit in range(64) if word >> bit & 1}


def words(numbers, count):
    """Inverse of bits."""
    out = [0] * count
    for number in numbers:
        out[number // 64] |= 1 << (number % 64)
    return np.array(out, np.uint64)


def digest(subkey, domain, text):
    """Keyed digest of one text: the last block of AES-256-CBC of the padded text, under its length's own key."""
    padded = text.encode() + b"\x80"
    padded += bytes(-len(padded) % 16)
    key = expand(subkey, Label.TOKEN, domain, (len(padded) // 16).to_bytes(4, "big"))
    return Cipher(AES256(key), CBC(bytes(16))).encryptor().update(padded)[-16:]


def position(block, place):
    """Bits 9 * place to 9 * place + 8 of a 16-byte block, little endian."""
    return int.from_bytes(block, "little") >> (9 * place) & 511


def constant_weight(blocks, tokens, rounds, weight):
    """Bits of one filter. blocks: `rounds` of 16 bytes for each token, then the filler."""
    found = set()
    for turn in range(rounds * 14):
        for token in range(tokens):
            if len(found) < weight:
                found.add(position(blocks[token * rounds + turn // 14], turn % 14))
    filler = blocks[tokens * rounds]
    here, stride = position(filler, 0), position(filler, 1) | 1
    while len(found) < weight:
        found.add(here)
        here = (here + stride) % 512
    return found


def or_masks(masks, lists):
    """Bits of each row: those of any of its masks."""
    return [set().union(*(bits(masks[code]) for code in codes)) for codes in lists]


def diffuse(plain, places):
    """Bits sent for one plain filter: sent bit j is the XOR of the plain bits at places[j]."""
    held = bits(plain)
    return {sent for sent, row in enumerate(places.tolist()) if sum(bit in held for bit in row) % 2}


def padded_bigrams(text):
    """Distinct bigrams of a text between two underscores."""
    padded = f"_{text}_"
    return {padded[start : start + 2] for start in range(len(padded) - 1)}


def plain_mask(value, field, profile, subkey):
    """Bits one value sets before diffusion: places of its tokens, cut from as many digests as each needs."""
    size = profile.bits.bit_length() - 1
    found = set()
    for role, weight in profile.weights[field.kind].items():
        for token in TOKENS[field.kind][role](value):
            places, block = [], 0
            while len(places) < weight:
                made = digest(subkey, label(field) + f"/{role}/{block}".encode(), token)
                for half in (made[:8], made[8:]):
                    word = int.from_bytes(half, "little")
                    places += [word >> size * nth & profile.bits - 1 for nth in range(64 // size)]
                block += 1
            found.update(places[:weight])
    return found


def sharing(values, rows):
    """How many people share each entry's value; 0 where its person stands before it with the same value."""
    entries = list(zip(values, rows, strict=True))
    return [
        0 if entry in entries[:nth] else len({row for value, row in entries if value == entry[0]})
        for nth, entry in enumerate(entries)
    ]


def dealt(ways, per_row, person):
    """Of which ways a person's row holds tokens, each given as the set of its people: the first ones."""
    return set([nth for nth, people in enumerate(ways) if person in people][:per_row])
