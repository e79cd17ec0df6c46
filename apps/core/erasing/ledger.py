"""The ledger of erasures: objects outside the database, so that a restored backup can be held against it.

One object for each erasure, `erasures/<moment>-<subject>-<uuid>.json`, never overwritten: the id, when, and a
reason code, signed (Ed25519). No personal data. An erasure is not done before its line is here; after a restore
`manage.py erasures_replay` does again what the restored database has forgotten.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from apps.core.aspects import Subject
from apps.core.clock import iso
from apps.core.errors import Unprocessable
from apps.core.objectstore import ObjectNotFound, store
from apps.core.sealing import Signature, SignaturePurpose, SignatureWrong, sign, verify

PREFIX = "erasures/"


class LedgerWrong(Unprocessable):
    """A line of the ledger can't be read, or is not what was signed; the sentence names the object."""

    code = "ERASURE_LEDGER_WRONG"
    message = "A line of the ledger of erasures is not what was signed."


@dataclass(frozen=True, slots=True)
class Line:
    """One erasure (of a person) or purge (of a tenant)."""

    subject: Subject
    subject_id: UUID
    at: datetime
    reason_code: str = ""

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.at:%Y%m%dT%H%M%S.%fZ}-{self.subject.value}-{self.subject_id}.json"

    def payload(self) -> bytes:
        """What is signed: sorted keys, no spaces."""
        said = {
            "version": 1,
            "subject": self.subject.value,
            "id": str(self.subject_id),
            "at": self.at.isoformat(timespec="microseconds"),
            "reason_code": self.reason_code,
        }
        return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def record(line: Line) -> str:
    """Puts a line into the ledger, once; answers its key. Not inside a write: it goes over the network.

    Raises:
        StoreUnavailable: try again; the erasure is not done before.
        LedgerWrong: another line stands under the key.
    """
    try:
        if _read(line.key) != line:
            raise LedgerWrong(f"{line.key} says something else than this erasure.")
    except ObjectNotFound:
        signature = sign(line.payload(), purpose=SignaturePurpose.ERASURE_LEDGER)
        body = {"line": line.payload().decode(), "signature": signature.as_json()}
        store().put(line.key, [json.dumps(body).encode() + b"\n"], content_type="application/json")
    return line.key


def lines() -> Iterator[Line | LedgerWrong]:
    """The whole ledger, oldest first; in the place of a line that is wrong, the error that says which and why."""
    for found in store().list(PREFIX):
        try:
            yield _read(found.key)
        except LedgerWrong as wrong:
            yield wrong


def _read(key: str) -> Line:
    with store().open(key) as opened:
        text = b"".join(opened.chunks)
    try:
        body = json.loads(text)
        payload = str(body["line"]).encode()
        verify(payload, Signature.from_json(body["signature"]), purpose=SignaturePurpose.ERASURE_LEDGER)
        said = json.loads(payload)
        line = Line(
            subject=Subject(said["subject"]),
            subject_id=UUID(said["id"]),
            at=datetime.fromisoformat(said["at"]),
            reason_code=said["reason_code"],
        )
    except SignatureWrong as wrong:
        raise LedgerWrong(f"{key}: {wrong.message}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise LedgerWrong(f"{key} can't be read.") from None
    if line.key != key:
        raise LedgerWrong(f"{key} is the line of {iso(line.at)} {line.subject_id} under another name.")
    return line
