"""Input that no surface may stumble over: bodies, query strings, headers, tokens."""

import json
import time
from collections.abc import Mapping
from typing import Any

from joserfc.jwk import RSAKey

from tests.identity.forge import OTHER, STRANGER, b64, claims, hs256, own_key, own_token, public_jwk, token

# Each is refused with 400, whatever the route takes.
MALFORMED: Mapping[str, bytes] = {
    "cut off": b"{",
    "no JSON": b"nonsense",
    "trailing comma": b'{"a": 1,}',
    "two values": b"{} {}",
    "a key twice": b'{"a": 1, "a": 2}',
    "NUL escaped": b'{"a": "x\\u0000y"}',
    "NUL raw": b'{"a": "x\x00y"}',
    "lone surrogate": b'{"a": "\\ud800"}',
    "lone surrogate as UTF-8": b'{"a": "\xed\xa0\x80"}',
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "1e400": b'{"a": 1e400}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "depth 100 of lists": b"[" * 100 + b"]" * 100,
    "depth 100 of objects": b'{"a":' * 100 + b"1" + b"}" * 100,
    "a list": b"[]",
    "a string": b'"a"',
    "a number": b"1",
    "null": b"null",
    "unknown field": b'{"__unknown__": 1}',
}
TOO_LARGE = b'{"a": "' + b"x" * 2_097_152 + b'"}'

# Query strings as they stand in the address.
ODD_QUERIES = [
    "__unknown__=1",
    "%00=1",
    "a%00=1",
    "%ff=1",
    "limit=%ff",
    "%ED%A0%80=1",
    "=1",
    "__proto__=1",
    "&".join(f"a{number}=1" for number in range(1200)),
]


def _unsigned(header: Mapping[str, Any], signature: str = "") -> str:
    parts = (json.dumps(dict(header)), json.dumps(claims()))
    return ".".join([*(b64(part.encode()) for part in parts), signature])


def _confused() -> str:
    """HS256, with the public key as the secret (CVE-2015-9235)."""
    row, key = own_key()
    head = {"alg": "HS256", "kid": row.kid, "typ": "JWT"}
    signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims(scope='SUPER_ADMIN')).encode())}"
    return f"{signed}.{b64(hs256(key.as_pem(private=False), signed.encode()))}"


def _foreign(header: Mapping[str, Any], key: RSAKey = STRANGER) -> str:
    return token(key, dict(header), claims(scope="SUPER_ADMIN"))


def bad_tokens() -> dict[str, str]:
    """Tokens that must not count, each for one reason; every one of them claims SUPER_ADMIN."""
    row, _ = own_key()
    instant = int(time.time())
    good = {"alg": "RS256", "kid": row.kid, "typ": "JWT"}
    right: dict[str, Any] = {"scope": "SUPER_ADMIN"}
    return {
        "expired": own_token(iat=instant - 7200, exp=instant - 3600, **right),
        "not yet valid": own_token(nbf=instant + 3600, **right),
        "from the future": own_token(iat=instant + 3600, exp=instant + 7200, **right),
        "other audience": own_token(aud="another", **right),
        "no audience": own_token(aud=None, **right),
        "other issuer": own_token(iss="https://issuer.example", **right),
        "no expiry": own_token(exp=None, **right),
        "no subject": own_token(sub=None, **right),
        "alg none": _unsigned({"alg": "none", "typ": "JWT"}),
        "alg none, signed": _unsigned({"alg": "none", "kid": row.kid}, signature=b64(b"x" * 256)),
        "HMAC with the public key": _confused(),
        "unknown kid": _foreign({"alg": "RS256", "kid": "nobody", "typ": "JWT"}),
        "somebody else's signature": _foreign(good, OTHER),
        "jku": _foreign({**good, "kid": "theirs", "jku": "https://evil.example/jwks.json"}),
        "jwk": _foreign({**good, "jwk": public_jwk(STRANGER, "theirs")}),
        "x5u": _foreign({**good, "kid": "theirs", "x5u": "https://evil.example/cert.pem"}),
        "kid as a path": _foreign({**good, "kid": "../../../../dev/null"}),
        "no JWT": "not-a-token",
        "empty parts": "..",
        "too long": "a" * 20_000,
    }


# Every way in which proxies say for whom they speak.
FORWARDING = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded-Prefix",
    "X-Forwarded",
    "Forwarded",
    "Forwarded-For",
    "Forwarded-For-IP",
    "X-Forward-For",
    "X-Original-Forwarded-For",
    "X-Original-Host",
    "X-Real-IP",
    "X-RealIP",
    "Real-IP",
    "Via",
    "X-Via",
    "True-Client-IP",
    "X-True-Client-IP",
    "CF-Connecting-IP",
    "CF-Connecting-IPv6",
    "CF-Pseudo-IPv4",
    "CF-Ray",
    "CDN-Loop",
    "X-Client-IP",
    "X-ClientIP",
    "Client-IP",
    "X-Cluster-Client-IP",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "X-Azure-ClientIP",
    "X-Azure-SocketIP",
    "X-AppEngine-User-IP",
    "X-Remote-IP",
    "X-Remote-Addr",
    "Remote-Addr",
    "X-Originating-IP",
    "X-Source-IP",
    "X-ProxyUser-Ip",
    "X-Envoy-External-Address",
    "X-Host",
    "Proxy-Client-IP",
    "WL-Proxy-Client-IP",
]


def spellings(header: str) -> list[str]:
    """A header as a server may hand it on: any case, hyphens or underscores, with other signs between."""
    plain = header.upper().replace("-", "_")
    return [f"HTTP_{plain}", f"HTTP_{header.lower()}", f"HTTP_{plain.replace('_', '.')}"]
