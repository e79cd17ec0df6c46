"""apps.identity.claims: what must be there, what it must look like, what it comes to."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.identity.claims import Claims, checked
from apps.identity.errors import TokenRefused

NOW = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
T = int(NOW.timestamp())
GOOD: dict[str, Any] = {"iss": "i", "aud": "steward", "sub": "s", "iat": T, "exp": T + 60}


def check(**changed: Any) -> Claims:
    whole = {name: value for name, value in {**GOOD, **changed}.items() if value != "absent"}
    return checked(whole, audience="steward", moment=NOW)


def refusal(**changed: Any) -> str:
    with pytest.raises(TokenRefused) as caught:
        check(**changed)
    return caught.value.reason


def test_least_claims_are_taken() -> None:
    found = check()
    assert found.subject == "s"
    assert found.issued_at == NOW
    assert (found.jti, found.session, found.tenant_id, found.rights) == (None, None, None, frozenset())


@pytest.mark.parametrize("name", ["exp", "iat", "aud", "sub"])
def test_required_claim_that_is_absent_is_refused(name: str) -> None:
    assert refusal(**{name: "absent"}) == f"claim_{name}"


@pytest.mark.parametrize("value", [None, "", 7, ["s"], {}, "x" * 256])
def test_subject_of_another_form_is_refused(value: object) -> None:
    assert refusal(sub=value) == "claim_sub"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [True, "1", None, [], -1, 10**30, 1e300])
def test_time_of_another_form_is_refused(name: str, value: object) -> None:
    assert refusal(**{name: value}) == f"claim_{name}"


def test_token_ends_at_exp_without_leeway() -> None:
    assert refusal(exp=T) == "expired"
    assert refusal(exp=T - 1) == "expired"
    assert check(exp=T + 0.5).expires_at > NOW


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_clock_of_the_issuer_may_be_thirty_seconds_ahead_and_no_more(name: str) -> None:
    assert check(**{name: T + 30}).subject == "s"
    assert refusal(**{name: T + 31}) == "not_yet"


@pytest.mark.parametrize("audience", ["steward", ["steward"], ["other", "steward"]])
def test_audience_among_others_is_taken(audience: object) -> None:
    assert check(aud=audience).subject == "s"


@pytest.mark.parametrize("audience", ["Steward", "steward ", "", [], ["other"]])
def test_other_audience_is_refused(audience: object) -> None:
    assert refusal(aud=audience) == "audience"


@pytest.mark.parametrize("audience", [None, 7, {"steward": 1}, ["steward", 7], [["steward"]]])
def test_audience_of_another_form_is_refused(audience: object) -> None:
    assert refusal(aud=audience) == "claim_aud"


@pytest.mark.parametrize("kind", ["ID", "Refresh", "Offline", "Logout", "DPoP", 7])
def test_tokens_for_another_use_are_refused(kind: object) -> None:
    assert refusal(typ=kind) == "claim_typ"


def test_token_bound_to_a_proof_is_refused() -> None:
    assert refusal(cnf={"jkt": "x"}) == "claim_cnf"


def test_rights_are_scopes_and_roles_together() -> None:
    found = check(scope="a b", roles=["c"], realm_access={"roles": ["d"]})
    assert found.rights == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    "claim",
    [{"scope": "SUPER_ADMIN"}, {"realm_access": {"roles": ["superadmin"]}}, {"roles": ["superadmin"]}],
)
def test_either_spelling_of_super_admin_brings_the_other(claim: dict[str, Any]) -> None:
    assert check(**claim).rights == {"SUPER_ADMIN", "superadmin"}


@pytest.mark.parametrize(
    "claim",
    [
        {"scope": ["a"]},
        {"scope": 1},
        {"roles": "admin"},
        {"roles": [1]},
        {"realm_access": []},
        {"realm_access": {"roles": "x"}},
    ],
)
def test_rights_of_another_form_are_refused(claim: dict[str, Any]) -> None:
    assert refusal(**claim).startswith("claim_")


@pytest.mark.parametrize("name", ["jti", "sid", "tenant_id", "workspace_id", "plan_id"])
@pytest.mark.parametrize("value", [7, "", [], {}, "x" * 256])
def test_texts_of_another_form_are_refused(name: str, value: object) -> None:
    assert refusal(**{name: value}) == f"claim_{name}"


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "nbf", "jti", "scope", "roles", "realm_access", "tenant_id", "typ"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=5,
        ),
    )
)
def test_any_claims_are_taken_or_refused_and_never_an_error(claims: dict[str, Any]) -> None:
    try:
        found = checked({**GOOD, **claims}, audience="steward", moment=NOW)
    except TokenRefused:
        return
    assert found.expires_at > NOW
