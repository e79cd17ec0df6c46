"""Dialogs over a tenant's life: activate, suspend, reinstate, cancel, purge; test tenants."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from apps.backoffice import cells
from apps.backoffice.dialogs import Dialog, Done, ReasonForm
from apps.backoffice.fields import narrow
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.core.principal import Principal
from apps.exports.admin import ExportData
from apps.plans.models import Plan
from apps.tenants.enums import TenantStatus
from apps.tenants.errors import PurgeBlocked
from apps.tenants.knobs import TEST_CLEANUP_DAYS
from apps.tenants.models import Tenant
from apps.tenants.services import (
    activate_tenant,
    cancel_tenant,
    create_test_tenant,
    reinstate_tenant,
    start_purge,
    suspend_tenant,
)


class _Named(Dialog):
    """A dialog whose title names the tenant."""

    def heading(self, target: Any, seen: Seen) -> str:
        del seen
        tenant: Tenant = target
        return f"{self.title}: {tenant.company_name}"


class Suspend(_Named):
    name: ClassVar[str] = "suspend"
    title: ClassVar[str] = "Suspend"
    permission: ClassVar[str] = "tenants.lifecycle"
    icon: ClassVar[str] = "pause_circle"
    variant: ClassVar[str] = "danger"
    submit: ClassVar[str] = "Suspend the tenant"

    def available(self, target: Any) -> bool:
        return target.status in {TenantStatus.TRIAL, TenantStatus.ACTIVE}

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        members = target.facts.members
        who = "all members" if members is None else cells.counted(members, "member")
        return (
            f"With the next request, sessions and tokens of {who} are void and every key is refused. "
            "Data stay as they are. Reinstating brings everything back but the sessions."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        suspend_tenant(actor=actor, tenant_id=target.id, reason=data["reason"], if_match=target.version)
        return Done(f"{target.company_name} was suspended.")


class Reinstate(_Named):
    name: ClassVar[str] = "reinstate"
    title: ClassVar[str] = "Reinstate"
    permission: ClassVar[str] = "tenants.lifecycle"
    icon: ClassVar[str] = "play_circle"
    variant: ClassVar[str] = "primary"

    def available(self, target: Any) -> bool:
        return target.status in {TenantStatus.SUSPENDED, TenantStatus.CANCELLED}

    def consequence(self, target: Any, seen: Seen) -> str:
        del seen
        if target.status == TenantStatus.CANCELLED:
            return "It becomes active again. Its keys stay expired: a new one has to be issued."
        return f"It goes back to {target.suspended_from}. Its keys work again; people sign in anew."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        reinstate_tenant(actor=actor, tenant_id=target.id, reason=data["reason"], if_match=target.version)
        return Done(f"{target.company_name} was reinstated.")


class Activate(_Named):
    name: ClassVar[str] = "activate"
    title: ClassVar[str] = "Activate"
    permission: ClassVar[str] = "tenants.lifecycle"
    icon: ClassVar[str] = "check_circle"

    def available(self, target: Any) -> bool:
        return target.status in {TenantStatus.PROVISIONING, TenantStatus.TRIAL}

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return "The trial ends now and the tenant counts as a paying one. An active tenant does not go back to a trial."

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        activate_tenant(actor=actor, tenant_id=target.id, reason=data["reason"], if_match=target.version)
        return Done(f"{target.company_name} is active.")


class Cancel(_Named):
    name: ClassVar[str] = "cancel"
    title: ClassVar[str] = "Cancel tenant"
    permission: ClassVar[str] = "tenants.lifecycle"
    icon: ClassVar[str] = "block"
    variant: ClassVar[str] = "danger"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Cancel the tenant"
    dismiss: ClassVar[str] = "Keep it"

    def available(self, target: Any) -> bool:
        return target.status in {TenantStatus.TRIAL, TenantStatus.ACTIVE, TenantStatus.SUSPENDED}

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "Every key expires, sessions and tokens are void, and the tenant counts as churned. Its data are kept for "
            "the retention, and it can be reinstated until then."
        )

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        cancel_tenant(actor=actor, tenant_id=target.id, reason=data["reason"], if_match=target.version)
        return Done(f"{target.company_name} was cancelled.")


class ExportTenant(_Named, ExportData):
    kind: ClassVar[str] = "tenant_data"
    parameter: ClassVar[str] = "tenant_id"


class SlugForm(ReasonForm):
    """Asks for the slug, so that nobody purges the neighbour."""

    slug = forms.CharField(
        label="Type the slug to confirm", widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, data: Any, *, tenant: Tenant) -> None:
        super().__init__(data)
        self.tenant = tenant
        self.fields["slug"].help_text = tenant.slug

    def clean_slug(self) -> str:
        typed = str(self.cleaned_data["slug"]).strip()
        if typed != self.tenant.slug:
            raise forms.ValidationError("This is not its slug.")
        return typed


class StartPurge(_Named):
    name: ClassVar[str] = "purge"
    title: ClassVar[str] = "Purge"
    permission: ClassVar[str] = "tenants.lifecycle"
    icon: ClassVar[str] = "delete_forever"
    variant: ClassVar[str] = "danger"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Remove it for good"

    def available(self, target: Any) -> bool:
        return bool(target.status == TenantStatus.CANCELLED or target.is_test)

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "Everything of this tenant is removed from every store: members, workspaces, keys, facts, then the tenant "
            "itself. Only its id, its slug, a signed receipt and the trail remain. This can't be undone."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del seen
        return SlugForm(data, tenant=target)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        try:
            start_purge(actor=actor, tenant_id=target.id, reason=data["reason"], if_match=target.version)
        except PurgeBlocked as blocked:
            sentences = " ".join(map(str, blocked.details.get("blockers", [])))
            raise PurgeBlocked(f"{blocked.message} {sentences}".strip()) from blocked
        return Done(f"The removal of {target.company_name} has begun.", url=site.list_url("tenants"))


class TestTenantForm(ReasonForm):
    """What a test tenant is made of."""

    __test__ = False  # no test of pytest's
    company_name = forms.CharField(label="Company", max_length=200)
    owner_email = forms.EmailField(label="Owner's e-mail", max_length=254)
    auto_cleanup_days = narrow(
        forms.IntegerField(
            label="Removed after, days", min_value=1, max_value=90, initial=TEST_CLEANUP_DAYS.get
        )
    )

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        sold = Plan.objects.filter(is_active=True).order_by("price_monthly", "slug")
        choice = forms.ChoiceField(choices=list(sold.values_list("slug", "name")))
        self.fields["plan"] = narrow(choice)
        self.order_fields(["company_name", "owner_email", "plan", "auto_cleanup_days", "reason"])


class CreateTest(Dialog):
    name: ClassVar[str] = "create-test"
    title: ClassVar[str] = "Create test tenant"
    permission: ClassVar[str] = "tenants.create_test"
    icon: ClassVar[str] = "add"
    variant: ClassVar[str] = "primary"
    submit: ClassVar[str] = "Create it"

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "A tenant with workspaces, an owner and sample members is made. It counts in no figure of money and is "
            "removed by itself when its days are over."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del target, seen
        return TestTenantForm(data)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        del target
        made = create_test_tenant(
            actor=actor,
            company_name=data["company_name"],
            owner_email=data["owner_email"],
            plan=data["plan"],
            auto_cleanup_days=data["auto_cleanup_days"],
            reason=data["reason"],
        )
        page = site.link("tenants", made.tenant.public_id, actor) or ""
        return Done(f"{made.tenant.company_name} is there until {made.expires_at:%Y-%m-%d}.", url=page)
