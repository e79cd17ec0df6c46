"""Signing keys of the embedded issuer.

A key is published `LEAD` before it signs, so that every verifier that keeps our set for up to that long knows it by
then (reliability.md asks for 5 minutes). It stays published until the last token that it can have signed is over.
Only on an empty database, or where the signing key was withdrawn, does a key sign at once.
"""

from datetime import datetime, timedelta
from functools import lru_cache

from django.db import connection
from joserfc.jwk import RSAKey

from apps.core.clock import now
from apps.core.principal import Principal
from apps.core.sealing import open_sealed, seal
from apps.core.write import Target, write
from apps.identity.claims import LEEWAY_SECONDS
from apps.identity.errors import KeyPending
from apps.identity.keys import TOPIC
from apps.identity.knobs import SIGNING_KEY_DAYS
from apps.identity.models import RevokedToken, SigningKey
from apps.identity.selectors import newest_key, signing_key_at

LEAD = timedelta(minutes=10)
LONGEST_LIFETIME = timedelta(days=30)
PURPOSE = "identity.signing-key"

_BITS = 2048
_LOCK = 7_160_001
_NO_KEY = Target(type="signing_key", id="new")


class _Overtaken(Exception):
    """Control flow: somebody else did it while we waited for the lock; nothing is written."""


def ensure_signing_key(*, actor: Principal) -> SigningKey:
    """The key that signs now; on an empty database a new one that does so at once. However many ask, one is made."""
    found = signing_key_at(now())
    if found is not None:
        return found
    try:
        with write("signing_key.create", actor=actor, target=_NO_KEY) as w:
            _lock()
            if signing_key_at(now()) is not None:
                raise _Overtaken
            # One that signs later, and none now: the clock was set back.
            SigningKey.objects.filter(signs_until__isnull=True).delete()
            key = _create(signs_from=now())
            w.on(key.audit_target())
            w.touch(TOPIC)
            return key
    except _Overtaken:
        return ensure_signing_key(actor=actor)


def rotate_signing_key(*, actor: Principal, reason: str = "") -> SigningKey:
    """Publishes a new key that signs from `LEAD` on; the present one signs until then.

    Raises:
        KeyPending: a new key is published already and does not sign yet.
    """
    with write("signing_key.rotate", actor=actor, target=_NO_KEY, reason=reason) as w:
        _lock()
        newest = newest_key()
        if newest is not None and newest.signs_from > now():
            raise KeyPending
        key = _add_successor(newest)
        w.on(key.audit_target())
        w.changed(before={"kid": newest.kid if newest else None}, after={"kid": key.kid})
        w.touch(TOPIC)
        return key


def rotate_due_key(*, actor: Principal) -> SigningKey | None:
    """Rotates where the newest key has signed for the days that the knob says; None where none is due or exists."""
    if not _is_due(newest_key()):
        return None
    try:
        with write("signing_key.rotate", actor=actor, target=_NO_KEY) as w:
            _lock()
            newest = newest_key()
            if not _is_due(newest):
                raise _Overtaken
            key = _add_successor(newest)
            w.on(key.audit_target())
            w.changed(before={"kid": newest.kid if newest else None}, after={"kid": key.kid})
            w.touch(TOPIC)
            return key
    except _Overtaken:
        return None


def withdraw_signing_keys(*, actor: Principal, reason: str) -> SigningKey:
    """For keys that others may know: no token of ours that was issued until now counts, and a new key signs at once.

    Other verifiers fetch the new key when they meet it.
    """
    with write("signing_key.withdraw", actor=actor, target=_NO_KEY, reason=reason) as w:
        _lock()
        withdrawn = list(SigningKey.objects.values_list("kid", flat=True))
        SigningKey.objects.all().delete()
        key = _create(signs_from=now())
        w.on(key.audit_target())
        w.changed(before={"kids": withdrawn}, after={"kids": [key.kid]})
        w.touch(TOPIC)
        return key


def prune(*, actor: Principal) -> dict[str, int]:
    """Deletes keys whose last token is over and revocations of tokens that are. Answers how many of each went."""
    moment = now()
    keys = SigningKey.objects.filter(published_until__lte=moment)
    revocations = RevokedToken.objects.filter(expires_at__lte=moment - timedelta(seconds=LEEWAY_SECONDS))
    if not keys.exists() and not revocations.exists():
        return {"keys": 0, "revocations": 0}
    with write("signing_key.prune", actor=actor, target=Target(type="signing_key", id="ended")) as w:
        gone = {"keys": keys.delete()[0], "revocations": revocations.delete()[0]}
        w.note(**gone)
        w.touch(TOPIC)
        return gone


def private_key(key: SigningKey) -> RSAKey:
    """The private part, opened.

    Raises:
        SealBroken: the master key is not there, or the row was changed.
    """
    return _opened(key.kid, bytes(key.sealed_private))


@lru_cache(maxsize=4)
def _opened(kid: str, sealed: bytes) -> RSAKey:
    key = RSAKey.import_key(open_sealed(sealed, purpose=PURPOSE))
    if key.thumbprint() != kid:
        raise ValueError(f"the private part in the row of {kid} is another key's")
    return key


def _lock() -> None:
    """One hand at the keys, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _is_due(newest: SigningKey | None) -> bool:
    return newest is not None and newest.signs_from <= now() - timedelta(days=SIGNING_KEY_DAYS.get())


def _add_successor(newest: SigningKey | None) -> SigningKey:
    """The next key; without a present one it signs at once."""
    if newest is None:
        return _create(signs_from=now())
    signs_from = now() + LEAD
    over = signs_from + LONGEST_LIFETIME + timedelta(seconds=LEEWAY_SECONDS)
    SigningKey.objects.filter(kid=newest.kid).update(signs_until=signs_from, published_until=over)
    return _create(signs_from=signs_from)


def _create(*, signs_from: datetime) -> SigningKey:
    pair = RSAKey.generate_key(_BITS)
    kid = pair.thumbprint()
    public = {**pair.as_dict(private=False), "kid": kid, "use": "sig", "alg": "RS256"}
    return SigningKey.objects.create(
        kid=kid,
        public_jwk=public,
        sealed_private=seal(pair.as_pem(private=True), purpose=PURPOSE),
        signs_from=signs_from,
    )
