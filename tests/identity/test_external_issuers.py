"""Tokens of other issuers, their key sets served by a real HTTP server."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from joserfc.jwk import RSAKey
from pytest_django import Settings
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from apps.identity import keys, trust
from apps.identity.errors import TokenRefused
from apps.identity.keys import ExternalKeys
from apps.identity.verification import verify
from tests.identity import forge

pytestmark = pytest.mark.django_db

ISSUER = "https://kc.example/realms/steward"
FIRST, SECOND = forge.STRANGER, forge.OTHER


class Issuer:
    """An issuer whose key set can be changed, slow or broken, and that counts who asks."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/jwks")
        self.asked = 0
        self.keys: list[dict[str, Any]] = [forge.public_jwk(FIRST, "k1")]
        self.answer: Callable[[], Response | None] = lambda: None
        server.clear()
        server.expect_request("/jwks").respond_with_handler(self._serve)

    def _serve(self, _request: Request) -> Response:
        self.asked += 1
        return self.answer() or Response(_json({"keys": self.keys}), content_type="application/json")


def _json(value: object) -> str:
    return json.dumps(value)


@pytest.fixture(scope="module")
def server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as running:
        yield running


@pytest.fixture
def issuer(server: HTTPServer, settings: Settings) -> Issuer:
    made = Issuer(server)
    settings.EXTERNAL_ISSUERS = [_entry(made)]
    return made


def _entry(made: Issuer, **changed: Any) -> dict[str, Any]:
    return {"issuer": ISSUER, "jwks_url": made.url, "audience": "steward", "platform": True, **changed}


def signed(key: RSAKey = FIRST, kid: str = "k1", **changed: Any) -> str:
    header = {"alg": "RS256", "kid": kid, "typ": "JWT"}
    return forge.token(key, header, forge.claims(**{"iss": ISSUER, **changed}))


def refused(text: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        verify(text)
    return caught.value.reason


@pytest.fixture
def minutes() -> Iterator[Callable[[float], None]]:
    """Lets minutes pass for the keeper of keys."""
    patch = pytest.MonkeyPatch()
    ahead = 0.0
    real = time.monotonic

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return real() + ahead

    patch.setattr(keys, "time", Clock)

    def pass_by(count: float) -> None:
        nonlocal ahead
        ahead += count * 60

    yield pass_by
    patch.undo()


def test_token_of_a_trusted_issuer_is_taken_and_its_keys_are_fetched_once(issuer: Issuer) -> None:
    for number in range(5):
        assert verify(signed(jti=f"t{number}")).issuer == ISSUER
    assert issuer.asked == 1


def test_our_own_token_stays_valid_beside_it(issuer: Issuer) -> None:
    assert verify(forge.own_token()).own is True
    assert issuer.asked == 0


def test_issuer_that_is_not_listed_is_refused_and_never_asked(issuer: Issuer) -> None:
    assert refused(signed(iss="https://evil.example", jku=issuer.url)) == "issuer"
    assert issuer.asked == 0


def test_key_of_one_issuer_verifies_nothing_of_another(issuer: Issuer, settings: Settings) -> None:
    other = "https://kc.example/realms/other"
    settings.EXTERNAL_ISSUERS = [_entry(issuer), _entry(issuer, issuer=other, jwks_url=issuer.url + "2")]
    assert verify(signed()).issuer == ISSUER
    assert refused(signed(iss=other)) == "unknown_key"
    row, key = forge.own_key()
    assert (
        refused(forge.token(key, {"alg": "RS256", "kid": row.kid}, forge.claims(iss=ISSUER))) == "unknown_key"
    )
    assert refused(signed(iss=settings.TOKEN_ISSUER)) == "unknown_key"


def test_each_issuer_has_its_own_audience(issuer: Issuer, settings: Settings) -> None:
    settings.EXTERNAL_ISSUERS = [_entry(issuer, audience="account")]
    assert refused(signed()) == "audience"
    assert verify(signed(aud="account")).subject == "svc-1"


def test_unknown_kid_fetches_again_at_most_once_a_minute(
    issuer: Issuer, minutes: Callable[[float], None]
) -> None:
    verify(signed())
    for number in range(30):
        assert refused(signed(SECOND, kid=f"new-{number}")) == "unknown_key"
    assert issuer.asked == 1
    minutes(1.1)
    for number in range(30):
        assert refused(signed(SECOND, kid=f"new-{number}")) == "unknown_key"
    assert issuer.asked == 2


def test_new_key_of_the_issuer_is_found_after_a_minute(
    issuer: Issuer, minutes: Callable[[float], None]
) -> None:
    verify(signed())
    issuer.keys.append(forge.public_jwk(SECOND, "k2"))
    assert refused(signed(SECOND, kid="k2")) == "unknown_key"
    minutes(1.1)
    assert verify(signed(SECOND, kid="k2")).issuer == ISSUER


def test_key_that_was_withdrawn_stops_when_the_set_is_fetched_anew(
    issuer: Issuer, minutes: Callable[[float], None]
) -> None:
    text = signed()
    verify(text)
    issuer.keys = [forge.public_jwk(SECOND, "k2")]
    minutes(9)
    assert verify(text).issuer == ISSUER
    minutes(2)
    assert refused(text) == "unknown_key"
    assert issuer.asked == 2


def test_key_that_was_replaced_under_its_name_does_not_verify_what_was_remembered(
    issuer: Issuer, minutes: Callable[[float], None]
) -> None:
    text = signed()
    verify(text)
    issuer.keys = [forge.public_jwk(SECOND, "k1")]
    minutes(11)
    assert refused(text) == "signature"


def test_set_that_can_not_be_fetched_anew_is_used_for_a_day(
    issuer: Issuer, minutes: Callable[[float], None]
) -> None:
    verify(signed())
    issuer.answer = lambda: Response("down", status=503)
    minutes(30)
    assert verify(signed(jti="later")).issuer == ISSUER
    assert issuer.asked == 2
    minutes(24 * 60)
    assert refused(signed(jti="much-later")) == "unknown_key"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{",
        b"[]",
        b'{"keys":7}',
        b'{"keys":[{"kty":"RSA"}]}',
        b"[" * 100_000,
        b'{"keys":[],"keys":[]}',
    ],
)
def test_broken_set_refuses_the_token_and_breaks_nothing(issuer: Issuer, body: bytes) -> None:
    issuer.answer = lambda: Response(body, content_type="application/json")
    assert refused(signed()) == "unknown_key"
    assert refused(signed()) == "unknown_key"
    assert issuer.asked == 1


@pytest.mark.parametrize("status", [301, 302, 401, 404, 500])
def test_set_behind_another_status_is_not_read_and_no_redirect_followed(issuer: Issuer, status: int) -> None:
    whole = _json({"keys": issuer.keys})
    issuer.answer = lambda: Response(whole, status=status, headers={"Location": issuer.url})
    assert refused(signed()) == "unknown_key"
    assert issuer.asked == 1


def test_set_that_is_too_large_is_not_read(issuer: Issuer) -> None:
    whole = _json({"keys": issuer.keys, "padding": "x" * 300_000})
    issuer.answer = lambda: Response(whole)
    assert refused(signed()) == "unknown_key"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x-unknown"])
def test_set_in_a_broken_encoding_refuses_the_token(issuer: Issuer, encoding: str) -> None:
    issuer.answer = lambda: Response(b"not so", headers={"Content-Encoding": encoding})
    assert refused(signed()) == "unknown_key"


def test_set_that_inflates_beyond_the_limit_is_not_read(issuer: Issuer) -> None:
    bomb = gzip.compress(_json({"keys": issuer.keys, "padding": "x" * 50_000_000}).encode())
    issuer.answer = lambda: Response(bomb, headers={"Content-Encoding": "gzip"})
    assert len(bomb) < 100_000
    assert refused(signed()) == "unknown_key"


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when the test ends: until then, and at most a minute, an issuer may be slow."""
    ended = threading.Event()
    yield ended
    ended.set()


def test_slow_set_costs_two_seconds_once(issuer: Issuer, over: threading.Event) -> None:
    def late() -> Response | None:
        over.wait(timeout=60)
        return None

    issuer.answer = late
    started = time.monotonic()
    assert refused(signed()) == "unknown_key"
    assert 1.5 < time.monotonic() - started < 30
    asked = issuer.asked
    assert refused(signed()) == "unknown_key"
    assert issuer.asked == asked


def test_dripping_set_costs_two_seconds(issuer: Issuer, over: threading.Event) -> None:
    def drip() -> Iterator[bytes]:
        for _ in range(600):
            if over.wait(timeout=0.1):
                return
            yield b" "

    issuer.answer = lambda: Response(drip())
    started = time.monotonic()
    assert refused(signed()) == "unknown_key"
    assert time.monotonic() - started < 30


def test_many_that_come_at_once_cause_one_fetch_and_all_get_its_keys(issuer: Issuer) -> None:
    def late() -> Response | None:
        time.sleep(0.5)
        return None

    issuer.answer = late
    source = trust.trusted_issuer(ISSUER)
    assert source is not None
    found: list[RSAKey | None] = []
    threads = [threading.Thread(target=lambda: found.append(source.keys.key("k1"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert issuer.asked == 1
    assert [key is not None for key in found] == [True] * 20


def test_known_key_serves_on_while_the_set_is_being_fetched(
    issuer: Issuer, minutes: Callable[[float], None], over: threading.Event
) -> None:
    verify(signed())
    asked = threading.Event()

    def late() -> Response | None:
        asked.set()
        over.wait(timeout=60)
        return None

    issuer.answer = late
    minutes(11)
    source = trust.trusted_issuer(ISSUER)
    assert source is not None
    fetching = threading.Thread(target=source.keys.key, args=["k1"])
    fetching.start()
    assert asked.wait(timeout=30)
    assert source.keys.key("k1") is not None
    # Its two seconds are not over: whoever had waited for it would have come back after it.
    assert fetching.is_alive()
    over.set()
    fetching.join()


def test_plain_http_outside_the_listed_networks_is_never_called(issuer: Issuer, settings: Settings) -> None:
    settings.ISSUER_NETWORKS = ["10.0.0.0/8"]
    assert refused(signed()) == "unknown_key"
    assert issuer.asked == 0


def test_name_over_plain_http_counts_by_its_address(issuer: Issuer, settings: Settings) -> None:
    settings.EXTERNAL_ISSUERS = [_entry(issuer, jwks_url=issuer.url.replace("127.0.0.1", "localhost"))]
    assert verify(signed()).issuer == ISSUER


def test_private_address_over_https_needs_a_listed_network(settings: Settings) -> None:
    made = trust._keys_of(ISSUER, "https://10.1.2.3/jwks", networks=[])
    assert made.key("k1") is None
    assert isinstance(made, ExternalKeys)


def test_rights_over_the_platform_count_only_from_its_own_issuers(issuer: Issuer, settings: Settings) -> None:
    claims: dict[str, Any] = {
        "scope": "SUPER_ADMIN SERVICE TENANT_ADMIN",
        "realm_access": {"roles": ["superadmin", "platform_admin", "platform_operator", "tenant_admin"]},
    }
    assert {"SUPER_ADMIN", "superadmin", "SERVICE", "platform_admin"} <= verify(signed(**claims)).rights
    settings.EXTERNAL_ISSUERS = [_entry(issuer, platform=False)]
    assert verify(signed(jti="again", **claims)).rights == {"TENANT_ADMIN", "tenant_admin"}
    # Remembered or not: what the issuer is decides now.
    assert verify(signed(**claims)).platform is False


def test_issuer_bound_to_a_tenant_speaks_for_no_other(issuer: Issuer, settings: Settings) -> None:
    own, other = "tnt_" + "0" * 26, "tnt_" + "1" * 26
    settings.EXTERNAL_ISSUERS = [_entry(issuer, platform=False, tenant_id=own)]
    assert verify(signed()).tenant_id == own
    assert verify(signed(tenant_id=own)).tenant_id == own
    assert refused(signed(tenant_id=other)) == "tenant_of_issuer"


def test_issuer_speaks_for_whatever_tenant_only_where_somebody_said_so(
    issuer: Issuer, settings: Settings
) -> None:
    some = "tnt_" + "1" * 26
    for said in ({"platform": True}, {"platform": False, "tenant_id": "*"}):
        settings.EXTERNAL_ISSUERS = [_entry(issuer, **said)]
        assert verify(signed(tenant_id=some)).tenant_id == some
        assert verify(signed()).tenant_id is None
    settings.EXTERNAL_ISSUERS = [_entry(issuer, platform=False)]
    assert refused(signed(tenant_id=some)) == "tenant_of_issuer"
    assert verify(signed()).tenant_id is None


def test_microseconds_of_another_issuer_do_not_count(issuer: Issuer) -> None:
    instant = int(time.time())
    assert verify(signed(iat=instant, iat_us=instant * 1_000_000 + 999)).issued_at.microsecond == 0


@time_machine.travel("2026-05-01T12:00:00Z", tick=False)
def test_expired_token_of_another_issuer_is_refused(issuer: Issuer) -> None:
    assert refused(signed(exp=int(time.time()))) == "expired"
