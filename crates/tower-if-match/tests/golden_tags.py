#!/usr/bin/env python3
"""Mints entity tags from the documentation of their format alone, for the golden test.

Each line on standard input asks for one tag: tag key (hexadecimal), scope, key, incarnation, revision, separated by
spaces. A key is `u:7`, `i:-7`, `s:text`, or several of them joined by commas, which is a tuple. The tags go to
standard output, one per line. BLAKE3, SipHash-1-3 and FNV-1a are written out here, so that nothing is shared with
the program under test.
"""

import sys

M32, M64 = (1 << 32) - 1, (1 << 64) - 1

BLAKE3_IV = [
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
    0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
]
PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
CHUNK_START, CHUNK_END, ROOT, KEYED_HASH = 1, 2, 8, 16


def words(data):
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]


def compress(chaining, block, length, flags):
    v = chaining + BLAKE3_IV[:4] + [0, 0, length, flags]

    def rotate(x, n):
        return (x >> n | x << (32 - n)) & M32

    def mix(a, b, c, d, x, y):
        v[a] = (v[a] + v[b] + x) & M32
        v[d] = rotate(v[d] ^ v[a], 16)
        v[c] = (v[c] + v[d]) & M32
        v[b] = rotate(v[b] ^ v[c], 12)
        v[a] = (v[a] + v[b] + y) & M32
        v[d] = rotate(v[d] ^ v[a], 8)
        v[c] = (v[c] + v[d]) & M32
        v[b] = rotate(v[b] ^ v[c], 7)

    for _ in range(7):
        for i, (a, b, c, d) in enumerate(
            [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
             (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
        ):
            mix(a, b, c, d, block[2 * i], block[2 * i + 1])
        block = [block[i] for i in PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)]


def keyed_blake3(key, data):
    """The first 32 bytes, of data that fits one chunk."""
    assert len(data) <= 1024
    blocks = [data[i : i + 64] for i in range(0, len(data), 64)] or [b""]
    chaining = words(key)
    for i, block in enumerate(blocks):
        flags = KEYED_HASH
        flags |= CHUNK_START if i == 0 else 0
        flags |= CHUNK_END | ROOT if i == len(blocks) - 1 else 0
        chaining = compress(chaining, words(block.ljust(64, b"\0")), len(block), flags)
    return b"".join(word.to_bytes(4, "little") for word in chaining)


def siphash13(key, data):
    k0, k1 = (int.from_bytes(key[i : i + 8], "little") for i in (0, 8))
    v = [
        k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D,
        k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573,
    ]

    def rotate(x, n):
        return (x << n | x >> (64 - n)) & M64

    def round():
        v[0] = (v[0] + v[1]) & M64
        v[1] = rotate(v[1], 13) ^ v[0]
        v[0] = rotate(v[0], 32)
        v[2] = (v[2] + v[3]) & M64
        v[3] = rotate(v[3], 16) ^ v[2]
        v[0] = (v[0] + v[3]) & M64
        v[3] = rotate(v[3], 21) ^ v[0]
        v[2] = (v[2] + v[1]) & M64
        v[1] = rotate(v[1], 17) ^ v[2]
        v[2] = rotate(v[2], 32)

    whole = len(data) // 8 * 8
    last = int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56
    for word in [int.from_bytes(data[i : i + 8], "little") for i in range(0, whole, 8)] + [last]:
        v[3] ^= word
        round()
        v[0] ^= word
    v[2] ^= 0xFF
    for _ in range(3):
        round()
    return v[0] ^ v[1] ^ v[2] ^ v[3]


FNV_OFFSET = 0xCBF29CE484222325


def fnv1a(hash, data):
    for i in range(0, len(data), 8):
        hash = step(hash, int.from_bytes(data[i : i + 8], "little"))
    return hash


def step(hash, word):
    return (hash ^ word) * 0x100000001B3 & M64


def folded(hash):
    folded = 0
    for byte in hash.to_bytes(8, "big"):
        folded ^= byte
    return folded


def text(value):
    data = value.encode()
    return b"s" + len(data).to_bytes(4, "big") + data


def integer(value):
    if 0 <= value <= M64:
        return b"u" + value.to_bytes(8, "big")
    return b"i" + value.to_bytes(16, "big", signed=True)


def encoded(key):
    members = key.split(",")
    if len(members) > 1:
        return b"t" + bytes([len(members)]) + b"".join(map(encoded, members))
    kind, value = key.split(":", 1)
    return text(value) if kind == "s" else integer(int(value))


def tag(tag_key, scope, key, incarnation, revision):
    sip_key = keyed_blake3(tag_key, text(scope))[:16]
    state = siphash13(sip_key, encoded(key) + integer(incarnation) + text(revision)) >> 16
    resource = folded(fnv1a(fnv1a(FNV_OFFSET, text(scope)), encoded(key)))
    before_check = state << 8 | resource
    check = folded(step(fnv1a(fnv1a(FNV_OFFSET, tag_key), revision.encode()), before_check))
    return f'"v{revision}-{before_check << 8 | check:016x}"'


for line in sys.stdin:
    tag_key, scope, key, incarnation, revision = line.split()
    print(tag(bytes.fromhex(tag_key), scope, key, int(incarnation), revision))
