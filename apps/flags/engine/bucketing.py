"""From a context key to one of 100,000 buckets, by the hash that the flag names.

The default is ours: murmur3, 32 bit, over salt and key. The others are the published formulas of the systems that
flags are moved in from, so that moving reshuffles nobody. Each has fewer or more buckets of its own; its position is
brought to ours without rounding anybody across a boundary of its own: floor(x) < n exactly where x < n.
"""

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import mmh3

BUCKETS = 100_000
# Callers send the text, two of the hashes read it a byte at a time, and two hundred flags may hash it anew.
LONGEST_HASHED = 2_048

# (salt, context key's value) -> bucket from 0 to 99,999; who lies below the weight is in.
Bucketer: TypeAlias = Callable[[str, str], int]

_UNLEASH_VARIANT_SEED = 86_028_157
_FNV_OFFSET, _FNV_PRIME = 0x811C9DC5, 0x01000193
_LAUNCHDARKLY_SCALE = 0xFFFFFFFFFFFFFFF


def _bytes(text: str) -> bytes:
    # Half a surrogate pair is no UTF-8; it must not stop an evaluation.
    return text.encode("utf-8", "surrogatepass")


def murmur3(salt: str, value: str) -> int:
    """Ours: murmur3_x86_32("salt:value") mod 100,000."""
    return mmh3.hash(_bytes(f"{salt}:{value}"), 0, False) % BUCKETS


def unleash(salt: str, value: str) -> int:
    """Gradual rollouts of Unleash: murmur3_x86_32("groupId:id") mod 100 + 1, in where ≤ percentage.

    Source: Unleash client specification; its clients share the vectors ("gr1", "123") → 73, ("groupX", "999") → 25.
    """
    return mmh3.hash(_bytes(f"{salt}:{value}"), 0, False) % 100 * 1_000


def unleash_variant(salt: str, value: str) -> int:
    """Variants of Unleash since specification 5: another seed, and weights in thousandths."""
    return mmh3.hash(_bytes(f"{salt}:{value}"), _UNLEASH_VARIANT_SEED, False) % 1_000 * 100


def _fnv1a(data: bytes) -> int:
    """FNV-1a, 32 bit (draft-eastlake-fnv)."""
    found = _FNV_OFFSET
    for byte in data:
        found = ((found ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return found


def growthbook_v1(salt: str, value: str) -> int:
    """GrowthBook's hashVersion 1: fnv32a(value + seed) mod 1000. Source: its SDK guide, `hash`; ids in ASCII, where its
    SDKs agree with each other."""
    return _fnv1a(_bytes(value + salt)) % 1_000 * 100


def growthbook_v2(salt: str, value: str) -> int:
    """GrowthBook's hashVersion 2: fnv32a(decimal of fnv32a(seed + value)) mod 10000. Source: its SDK guide."""
    return _fnv1a(str(_fnv1a(_bytes(salt + value))).encode()) % 10_000 * 10


def flagsmith(salt: str, value: str) -> int:
    """Flagsmith: md5("id,identity") as a number mod 9999, over 9998; hashed again with the text doubled where that is
    1. Source: `get_hashed_percentage_for_object_ids` of its engine."""
    once = f"{salt},{value}"
    text = once
    while True:
        found = int.from_bytes(hashlib.md5(_bytes(text), usedforsecurity=False).digest(), "big") % 9_999
        if found != 9_998:
            return found * BUCKETS // 9_998
        text += once


def launchdarkly(salt: str, value: str) -> int:
    """LaunchDarkly: the first 15 hexadecimal digits of sha1("key.salt.value") over 0xFFFFFFFFFFFFFFF.

    The flag's salt here is "key.salt" as it was there, or the seed of an experiment. Source: the bucketing of its open
    SDKs, whose tests share the vectors ("hashKey.saltyA", "userKeyA") → 0.42157587, ("61", "userKeyA") → 0.09801207.
    """
    digest = hashlib.sha1(_bytes(f"{salt}.{value}"), usedforsecurity=False).hexdigest()
    return min(int(digest[:15], 16) * BUCKETS // _LAUNCHDARKLY_SCALE, BUCKETS - 1)


# The values of a flag's `hash`.
bucketers: Mapping[str, Bucketer] = MappingProxyType(
    {
        "murmur3": murmur3,
        "unleash": unleash,
        "unleash-variant": unleash_variant,
        "growthbook-v1": growthbook_v1,
        "growthbook-v2": growthbook_v2,
        "flagsmith": flagsmith,
        "launchdarkly": launchdarkly,
    }
)


def hashable(value: Any) -> str | None:
    """The value of a context key as text; None for what can't be bucketed (null, true, fractions, lists, objects, and
    text of more than `LONGEST_HASHED` characters)."""
    if type(value) is str:
        return value if len(value) <= LONGEST_HASHED else None
    if type(value) is int and value.bit_length() <= 256:
        return str(value)
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return None
