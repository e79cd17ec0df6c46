"""What tests of the back office's flags say and ask."""

from typing import Any

from django.test import Client

from apps.core import ids
from apps.flags import services
from apps.flags.models import FLAG, Flag
from apps.tenants.models import Tenant
from tests.factories import actor, make_facts, make_tenant

REASON = {"reason": "ticket 4711, asked by the customer"}


def url(flag: Flag, more: str = "") -> str:
    return f"/backoffice/flags/{ids.public(FLAG, flag.id)}/{more}"


def made(key: str = "checkout", **fields: Any) -> Flag:
    return services.create_flag(actor=actor(), key=key, fields=fields)  # type: ignore[arg-type]  # any field


def tenant(slug: str, plan: str = "starter") -> Tenant:
    found = make_tenant(plan, company_name=slug.title(), slug=slug)
    make_facts(found)
    return found


def form(flag: Flag, **changes: str) -> dict[str, str]:
    """What the editor sends of a boolean flag without rules."""
    return {
        "version": str(flag.version),
        "description": flag.description,
        "owner": flag.owner,
        "tags": ", ".join(flag.tags),
        "defaultEnabled": "yes" if flag.default_enabled else "no",
        "offVariation": "off",
        "variations.0.key": "on",
        "variations.0.value": "true",
        "variations.1.key": "off",
        "variations.1.value": "false",
        **changes,
    }


def rule(number: int = 0, *, serve: str = "on", **condition: str) -> dict[str, str]:
    at = f"rules.{number}"
    return {
        f"{at}.serve": serve,
        **{f"{at}.conditions.0.{name}": value for name, value in condition.items()},
    }


def edit(client: Client, flag: Flag, op: str, **changes: str) -> Any:
    return client.post(url(flag, "edit/"), {**form(flag, **changes), "op": op})


def pro() -> dict[str, str]:
    return rule(attribute="plan", operator="in", value="professional")


def say(client: Client, flag: Flag, dialog: str, **data: Any) -> Any:
    return client.post(url(flag, f"{dialog}/"), {**REASON, **data}, headers={"HX-Request": "true"})
