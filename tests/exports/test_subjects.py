"""All that is held about one person or tenant, as a ZIP that names and hashes its files."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from apps.core.aspects import Subject, registry
from apps.core.erasing.traces import Traces
from apps.core.errors import Forbidden
from apps.core.objectstore import store
from apps.core.principal import Principal, system
from apps.exports import selectors, services
from apps.exports.errors import ExportParamsInvalid
from apps.exports.models import Export
from apps.exports.services import sweep_person
from apps.tenants.models import Tenant, TenantKey
from apps.tenants.services import create_test_tenant, override_plan
from apps.tenants.terms import PlanTerms
from apps.users.models import User
from tests.factories import actor, make_member, make_tenant, make_user, staff_principal
from tests.users.support import enrol, open_session

pytestmark = pytest.mark.django_db


def exported(kind: str, principal: Principal | None = None, **params: str) -> tuple[Export, bytes]:
    asked = services.request_export(
        actor=principal or staff_principal("super_admin"), kind=kind, params=params, format_="zip"
    )
    services.build_export(actor=actor(), export_id=asked.id, tell=lambda *_: None)
    asked.refresh_from_db()
    with store().open(asked.object_key) as opened:
        return asked, b"".join(opened.chunks)


def read(archive: bytes) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The manifest, checked against the files, and the files."""
    files: dict[str, Any] = {}
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        for line in manifest["files"]:
            text = opened.read(line["file"])
            assert hashlib.sha256(text).hexdigest() == line["sha256"]
            files[line["file"].removesuffix(".json")] = json.loads(text)
            assert len(files[line["file"].removesuffix(".json")]) == line["rows"]
        assert set(opened.namelist()) == {"manifest.json", *(line["file"] for line in manifest["files"])}
    return manifest, files


def person() -> User:
    user = make_member(make_tenant(), email="jane@people.example", name="Jane Roe", notes="likes tea")
    enrol(user)
    open_session(user, "198.51.100.9")
    return user


def test_data_of_a_person_has_a_file_for_each_aspect_and_no_secret() -> None:
    user = person()
    secret = enrol(make_user())
    row, archive = exported("user_data", user_id=user.public_id)
    manifest, files = read(archive)
    assert (manifest["subject"], manifest["id"], manifest["schema_version"]) == ("user", user.public_id, 1)
    assert set(files) == {each.name for each in registry.of(Subject.USER) if each.export is not None}
    assert files["users.profile"][0]["email"] == "jane@people.example"
    assert files["users.profile"][0]["notes"] == "likes tea"
    assert files["users.sessions"][0]["address"] == "198.51.100.9"
    assert files["users.memberships"][0]["role"] == "member"
    assert files["audit.details"]
    said = json.dumps(files)
    user.refresh_from_db()
    for hidden in (user.password, secret, "argon2", "secret", "digest", "session_key"):
        assert hidden not in said, hidden
    assert row.truncated is False
    assert row.expires_at is not None


def test_data_of_a_tenant_has_a_file_for_each_aspect_and_no_secret() -> None:
    made = create_test_tenant(
        actor=actor(), company_name="Acme", owner_email="jane@people.example", plan="starter"
    )
    tenant: Tenant = made.tenant
    override_plan(
        actor=actor(), tenant_id=tenant.id, terms=PlanTerms(plan="pro", price_monthly=Decimal("9.5"))
    )
    row, archive = exported("tenant_data", tenant_id=tenant.public_id)
    manifest, files = read(archive)
    assert (manifest["subject"], manifest["id"]) == ("tenant", tenant.public_id)
    assert set(files) == {each.name for each in registry.of(Subject.TENANT) if each.export is not None}
    kinds = {line["kind"] for line in files["tenants"]}
    assert kinds == {"tenant", "workspace", "key", "plan_override", "facts", "status_change"}
    assert {line["email"] for line in files["users.members"]} >= {"jane@people.example"}
    key = TenantKey.objects.get(tenant=tenant)
    said = json.dumps(files)
    assert key.prefix not in said
    assert bytes(key.digest).hex() not in said
    assert row.tenant_id == tenant.id


def test_every_aspect_that_keeps_tables_gives_them_to_an_export() -> None:
    silent = [
        (subject.value, each.name)
        for subject in Subject
        for each in registry.of(subject)
        if each.models and each.export is None
    ]
    assert silent == []


@pytest.mark.parametrize("role", ["admin", "support", "finance", "ops", "qa"])
def test_other_roles_are_refused_and_are_not_offered_it(role: str) -> None:
    user = make_user()
    reader = staff_principal(role)
    with pytest.raises(Forbidden):
        services.request_export(
            actor=reader, kind="user_data", params={"user_id": user.public_id}, format_="zip"
        )
    assert "user_data" not in {kind.name for kind in selectors.kinds_for(reader)}


@pytest.mark.parametrize(
    "params",
    [{}, {"user_id": "usr_00000000000000000000000001"}, {"user_id": "x"}, {"user_id": 7}, {"x": "y"}],
)
def test_wrong_parameters_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ExportParamsInvalid):
        services.request_export(actor=actor(), kind="user_data", params=params, format_="zip")
    user = make_user()
    with pytest.raises(ExportParamsInvalid):
        services.request_export(actor=actor(), kind="user_data", params={"user_id": user.public_id})


def test_data_of_anybody_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.exports.services.MAX_ROWS", type("One", (), {"get": staticmethod(lambda: 1)}))
    row, archive = exported("user_data", user_id=person().public_id)
    assert row.truncated is False
    assert row.rows is not None
    assert row.rows > 1
    read(archive)


def test_archives_in_which_an_erased_person_stands_are_removed_and_others_stay() -> None:
    user, other = person(), make_user()
    own, _ = exported("user_data", user_id=user.public_id)
    tenant = user.memberships.get().tenant
    of_tenant, _ = exported("tenant_data", tenant_id=tenant.public_id)
    stays, _ = exported("user_data", user_id=other.public_id)
    traces = Traces(user.pk, user.public_id, (user.email,), user.name)
    assert sweep_person(traces, system("x")) == 2
    assert list(Export.objects.values_list("id", flat=True)) == [stays.id]
    assert {stat.key for stat in store().list("exports/")} == {stays.object_key}
    assert {own.object_key, of_tenant.object_key} & {stat.key for stat in store().list()} == set()


@pytest.mark.parametrize(
    "damage", [lambda body: body[:100], lambda body: body[:60] + b"\0" * 40 + body[100:]]
)
def test_archive_that_can_not_be_read_stops_no_erasure_and_goes(damage: Callable[[bytes], bytes]) -> None:
    row, _ = exported("user_data", user_id=make_user().public_id)
    with store().open(row.object_key) as opened:
        body = b"".join(opened.chunks)
    store().put(row.object_key, [damage(body)])
    gone = make_user()
    assert sweep_person(Traces(gone.pk, gone.public_id, (gone.email,), gone.name), system("x")) == 1
    assert list(store().list("exports/")) == []
