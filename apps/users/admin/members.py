"""Members on the page of a tenant: the tenants' app knows no people."""

from collections.abc import Mapping

from apps.backoffice import cells
from apps.backoffice.blocks import Block, Row, Table
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Tab
from apps.tenants.models import Tenant
from apps.users.admin import looks
from apps.users.models import Membership

_SHOWN = 200


def members(tenant: Tenant, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    """The oldest two hundred; all of them stand in the list of users, filtered."""
    own = Membership.objects.filter(tenant=tenant).select_related("user__staff").order_by("created_at", "id")
    found = list(own[: _SHOWN + 1])
    rows = [
        Row(
            [
                cells.or_nothing(seen.name(each.user.name)),
                seen.email(each.user.email),
                each.role,
                cells.badges(looks.badges(each.user)),
                cells.ago(each.user.last_login),
                cells.day(each.created_at),
            ],
            url=site.link("users", each.user.public_id, seen.principal),
        )
        for each in found[:_SHOWN]
    ]
    heads = [("Name", "text"), ("E-mail", "text"), ("Role", "text"), ("Status", "text"), ("Last login", "text"),
             ("Member since", "text")]  # fmt: skip
    note = (
        f"The first {_SHOWN}; all are under Users, filtered by {tenant.slug}" if len(found) > _SHOWN else ""
    )
    return [Table("Members", heads, rows, "Nobody belongs to this tenant yet.", note=note)]


def names(tenant: Tenant) -> list[str]:
    own = Membership.objects.filter(tenant=tenant).order_by("created_at", "id")
    return list(own.values_list("user__name", flat=True)[:_SHOWN])


def install() -> None:
    """Called once, when the sections are loaded."""
    site.add_tab("tenants", Tab("members", "Members", members, permission="users.read", order=40))
    site.add_names("tenants", names)
