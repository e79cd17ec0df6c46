"""What other verifiers read of the embedded issuer: its metadata and its public keys."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from apps.identity.claims import SUPER_ADMIN
from apps.identity.compact import ALGORITHM
from apps.identity.trust import embedded_keys

# Well below the time for which a key is published before it signs (apps.identity.services.keys.LEAD).
_CACHED = "public, max-age=300"


@require_safe
def jwks(request: HttpRequest) -> HttpResponse:
    """GET /.well-known/jwks.json: the JWK set (RFC 7517)."""
    del request
    answer = JsonResponse(embedded_keys.public_set())
    answer["Content-Type"] = "application/jwk-set+json"
    return _public(answer)


@require_safe
def configuration(request: HttpRequest) -> HttpResponse:
    """GET /.well-known/openid-configuration (OpenID Connect Discovery, RFC 8414); without grants yet."""
    del request
    return _public(
        JsonResponse(
            {
                "issuer": settings.TOKEN_ISSUER,
                "jwks_uri": f"{settings.PUBLIC_URL}/.well-known/jwks.json",
                "response_types_supported": [],
                "grant_types_supported": [],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "scopes_supported": [SUPER_ADMIN, "TENANT_ADMIN", "SERVICE"],
                "claims_supported": [
                    *("iss", "aud", "sub", "iat", "nbf", "exp", "jti", "sid", "auth_time", "amr"),
                    *("tenant_id", "workspace_id", "plan_id", "scope", "realm_access"),
                ],
            }
        )
    )


def _public(answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = _CACHED
    # Public keys: scripts of any origin may read them.
    answer["Access-Control-Allow-Origin"] = "*"
    return answer
