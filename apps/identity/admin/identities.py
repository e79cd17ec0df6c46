"""The tab, and the two dialogs that change what it shows."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms

from apps.backoffice import cells
from apps.backoffice.blocks import Block, Note, Row, Table
from apps.backoffice.dialogs import Done, ReasonForm
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Tab
from apps.core.principal import Principal
from apps.identity.errors import IdentityUnknown
from apps.identity.models import ExternalIdentity
from apps.identity.selectors import identities_of
from apps.identity.services import link_identity, unlink_identity
from apps.identity.trust import linkable_issuers
from apps.users.admin.dialogs import Named
from apps.users.models import User

PERMISSION = "identities.manage"
_NO_ISSUER = (
    "No other issuer is trusted: NILE_URL and EXTERNAL_ISSUERS are empty, so there is nothing to link to."
)


def _identities(user: User, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    trusted = dict(linkable_issuers())
    rows = [
        Row([
            trusted.get(each.issuer) or cells.noted(each.issuer, cells.badge("not trusted", "orange")),
            seen.text(each.subject),
            cells.instant(each.created_at),
            site.actor(each.linked_by, seen),
        ])
        for each in identities_of(user.pk)
    ]  # fmt: skip
    heads = [("Issuer", "wrap"), ("Subject", "wrap"), ("Linked", "text"), ("By", "text")]
    table = Table("Identities", heads, rows, "No other issuer knows this person: they sign in here alone.")
    return [table] if trusted else [Note(_NO_ISSUER, "grey"), table]


def _back(user: User, actor: Principal) -> str:
    page = site.link("users", user.public_id, actor)
    return f"{page}?tab=identities" if page else ""


class LinkForm(ReasonForm):
    def __init__(self, data: Any, *, issuers: Sequence[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["issuer"] = forms.ChoiceField(label="Issuer", choices=issuers)
        self.fields["subject"] = forms.CharField(
            label="Subject",
            max_length=255,
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            help_text="The person's id there, letter by letter: Nile's id, the sub of a token. Not the e-mail address",
        )
        self.order_fields(["issuer", "subject", "reason"])


class Link(Named):
    name: ClassVar[str] = "link-identity"
    title: ClassVar[str] = "Link identity"
    permission: ClassVar[str] = PERMISSION
    icon: ClassVar[str] = "link"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Link it"

    def available(self, target: Any) -> bool:
        del target
        return bool(linkable_issuers())

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        if not linkable_issuers():
            return _NO_ISSUER
        return (
            "Whoever the issuer says is this subject comes in as this person, with all of their roles, from the next "
            "request on. Second factors are the issuer's affair."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        del target, seen
        return LinkForm(data, issuers=linkable_issuers())

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        link_identity(
            actor=actor, user=target, issuer=data["issuer"], subject=data["subject"], reason=data["reason"]
        )
        return Done("The identity was linked.", url=_back(target, actor))


class UnlinkForm(ReasonForm):
    def __init__(self, data: Any, *, known: Sequence[ExternalIdentity], seen: Seen) -> None:
        super().__init__(data)
        choices = [(str(each.pk), f"{seen.text(each.subject)} at {each.issuer}") for each in known]
        self.fields["identity"] = forms.ChoiceField(label="Which one", choices=choices)
        self.order_fields(["identity", "reason"])


class Unlink(Named):
    name: ClassVar[str] = "unlink-identity"
    title: ClassVar[str] = "Unlink identity"
    permission: ClassVar[str] = PERMISSION
    icon: ClassVar[str] = "link_off"
    variant: ClassVar[str] = "danger"
    group: ClassVar[str] = "more"
    submit: ClassVar[str] = "Unlink it"

    def available(self, target: Any) -> bool:
        return identities_of(target.pk).exists()

    def consequence(self, target: Any, seen: Seen) -> str:
        del target, seen
        return (
            "Tokens and sessions of that subject are nobody's of ours from the next request on. The person, their "
            "roles and their own sign-in stay."
        )

    def form(self, data: Mapping[str, Any] | None, target: Any, seen: Seen) -> forms.Form:
        return UnlinkForm(data, known=list(identities_of(target.pk)), seen=seen)

    def perform(self, *, actor: Principal, target: Any, data: dict[str, Any]) -> Done:
        identity = identities_of(target.pk).select_related("user").filter(pk=data["identity"]).first()
        if identity is None:
            raise IdentityUnknown
        unlink_identity(actor=actor, identity=identity, reason=data["reason"])
        return Done("The identity was unlinked.", url=_back(target, actor))


def install() -> None:
    """Called once, when the sections are loaded."""
    site.add_tab("users", Tab("identities", "Identities", _identities, permission=PERMISSION, order=30))
    site.add_dialog("users", Link())
    site.add_dialog("users", Unlink())
