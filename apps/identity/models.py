"""Machines: signing keys of the embedded issuer, single revoked tokens, people and sessions of other issuers."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.core import ids
from apps.core.write import Target
from apps.users.models import User


class SigningKey(models.Model):
    """An RSA key of the embedded issuer. Published at least 5 minutes before it signs, and until its tokens ended."""

    kid = models.CharField(primary_key=True, max_length=43)  # RFC 7638 thumbprint
    public_jwk = models.JSONField()
    sealed_private = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())
    signs_from = models.DateTimeField()
    signs_until = models.DateTimeField(null=True)
    published_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "identity_signing_key"
        ordering = ["-signs_from"]
        constraints = [
            models.CheckConstraint(
                name="signing_key_outlives_tokens",
                condition=Q(signs_until__isnull=True) | Q(published_until__isnull=False),
            ),
            # One key has no end: the newest. Two rotations at once can't both add one.
            models.UniqueConstraint(
                name="signing_key_one_newest", fields=["signs_until"], nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return self.kid

    def audit_target(self) -> Target:
        return Target(type="signing_key", id=self.kid)


# Raised by every write that makes a token worth less than before, beside what ends a person's or a tenant's.
TOKENS_TOPIC = "identity.tokens"


class RevokedToken(models.Model):
    """One token that was taken back before its end."""

    # SHA-256 of issuer and `jti`: another issuer may use the same `jti`, and of any length.
    digest = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "identity_revoked_token"

    def __str__(self) -> str:
        return self.digest


class ExternalIdentity(models.Model):
    """A person as another issuer knows them. People are matched by (issuer, subject), never by e-mail address."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    linked_by = models.CharField(max_length=255, db_default="", editable=False)  # Principal.id

    class Meta:
        db_table = "identity_external_identity"
        ordering = ["created_at", "id"]
        verbose_name_plural = "external identities"
        constraints = [
            models.UniqueConstraint(name="external_identity_once", fields=["issuer", "subject"]),
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class NileSession(models.Model):
    """When a session of Nile was first seen here: a revocation ends what was seen before it, and Nile does not say when
    a session began."""

    digest = models.CharField(primary_key=True, max_length=64)  # SHA-256 of the session token
    identity = models.ForeignKey(ExternalIdentity, on_delete=models.CASCADE, related_name="+")
    first_seen_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "identity_nile_session"

    def __str__(self) -> str:
        return self.digest
