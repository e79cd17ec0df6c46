"""Machines: signing keys of the embedded issuer, and single revoked tokens."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class SigningKey(models.Model):
    """An RSA key of the embedded issuer. Published at least 5 minutes before it signs, and until its tokens ended."""

    kid = models.CharField(primary_key=True, max_length=43)
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
            )
        ]

    def __str__(self) -> str:
        return self.kid


class RevokedToken(models.Model):
    """One token that was taken back before its end."""

    jti = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField(db_index=True)
    revoked_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "identity_revoked_token"

    def __str__(self) -> str:
        return self.jti
