"""Verifies a file of `manage.py audit_verify --export` without Steward.

    python verify_audit_export.py FILE [KEY_ID=BASE64 ...]

Needs Python 3.11 and, where public keys are given, the package `cryptography`. The keys are those of
`manage.py signing_keys` for the purpose audit.anchor, had from the operator another way than the file. Exit status:
0 all of it holds, 2 a row is wrong, 3 an anchor is, 1 the file can't be read.
"""

import hashlib
import json
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

GENESIS = "00" * 32


class Wrong(Exception):
    """What does not hold: an exit status and a sentence."""


def sha256(*parts: bytes) -> bytes:
    """SHA-256 over the parts, one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def check_row(row: dict[str, Any], tails: dict[str, tuple[int, str]], *, whole: bool) -> None:
    """A row follows the one before it, and its hash is that of its text; details belong to their commitments."""
    chain, seq, text = row["chain"], row["seq"], row["text"]
    # An export with `since` begins somewhere: its first row is taken to follow what it says.
    before = tails.get(chain) or ((0, GENESIS) if whole else (seq - 1, row["previous_hash"]))
    if (seq, row["previous_hash"]) != (before[0] + 1, before[1]):
        raise Wrong(2, f"{chain}: row {seq} does not follow row {before[0]}")
    number = seq.to_bytes(8, "big")
    own = sha256(bytes.fromhex(row["previous_hash"]), chain.encode(), b"\0", number, text.encode()).hex()
    if own != row["hash"]:
        raise Wrong(2, f"{chain}: the content of row {seq} was changed")
    for part, detail in (row.get("details") or {}).items():
        kept = json.loads(text)[f"{part}_commitment"]
        if detail and sha256(bytes.fromhex(detail["salt"]), detail["body"].encode()).hex() != kept:
            raise Wrong(2, f"{chain}: the {part}'s detail of row {seq} was changed")
    tails[chain] = (seq, own)


def root_of(proof: dict[str, Any], own: str) -> str:
    """The root that a path leads to from a line `chain seq hash` (RFC 6962: leaf 0x00, node 0x01)."""
    found = sha256(b"\0", f"{proof['chain']} {proof['seq']} {own}\n".encode())
    for step in proof["path"]:
        beside = bytes.fromhex(step[1:])
        found = sha256(b"\1", beside, found) if step[0] == "L" else sha256(b"\1", found, beside)
    return found.hex()


def check_anchor(line: dict[str, Any], roots: dict[int, set[str]], keys: dict[str, str]) -> None:
    """The signature is the key's, and every path that names the anchor leads to its root."""
    payload = json.loads(line["payload"])
    number = payload["number"]
    if roots.pop(number, set()) - {payload["changed_root"]}:
        raise Wrong(3, f"anchor {number} does not contain the rows that are said to be in it")
    if not keys:
        return
    # Only here, so that hashes can be verified without any package.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    signature = line["signature"]
    if signature["key_id"] not in keys:
        raise Wrong(3, f"anchor {number} is signed with the key {signature['key_id']}, which was not given")
    public = Ed25519PublicKey.from_public_bytes(b64decode(keys[signature["key_id"]]))
    try:
        public.verify(b64decode(signature["value"]), line["payload"].encode())
    except InvalidSignature:
        raise Wrong(3, f"the signature of anchor {number} is wrong") from None


def verify(path: Path, keys: dict[str, str]) -> str:
    """Reads the file once; what was found, in a sentence.

    Raises:
        Wrong: something does not hold.
        ValueError, KeyError, TypeError, OSError: it is no such file.
    """
    tails: dict[str, tuple[int, str]] = {}
    wanted: dict[tuple[str, int], str] = {}
    roots: dict[int, set[str]] = {}
    rows = anchors = proofs = 0
    with path.open(encoding="utf-8") as file:
        head = json.loads(next(file))
        if head["export"] != "steward-audit-export-1":
            raise ValueError
        # The rows that proofs name come before them: a first reading says which hashes to keep.
        for line in file:
            if line.startswith('{"anchored"'):
                proof = json.loads(line)
                wanted[proof["chain"], proof["seq"]] = ""
        file.seek(0)
        next(file)
        for text in file:
            line = json.loads(text)
            if "text" in line:
                check_row(line, tails, whole=head["since"] is None)
                rows += 1
                if (line["chain"], line["seq"]) in wanted:
                    wanted[line["chain"], line["seq"]] = line["hash"]
            elif "anchored" in line:
                own = wanted[line["chain"], line["seq"]]
                roots.setdefault(line["anchored"], set()).add(root_of(line, own))
                proofs += 1
            else:
                check_anchor(line, roots, keys)
                anchors += 1
    if roots:
        raise Wrong(3, f"anchor {min(roots)} is missing from the file")
    signed = "signatures checked" if keys else "signatures NOT checked: no public key was given"
    return f"{rows} rows of {len(tails)} chains hold; {proofs} chains are in {anchors} anchors ({signed})."


def main(arguments: list[str]) -> int:
    """See the module's docstring."""
    if not arguments:
        print(__doc__)
        return 1
    try:
        print(verify(Path(arguments[0]), dict(pair.split("=", 1) for pair in arguments[1:])))
    except Wrong as wrong:
        print(wrong.args[1])
        return int(wrong.args[0])
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as unreadable:
        print(f"The file can't be read as an export of the trail: {type(unreadable).__name__} {unreadable}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
