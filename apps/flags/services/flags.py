"""Creating, changing, archiving and restoring flags."""

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any, TypedDict

from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.principal import Principal
from apps.core.write import Write, write
from apps.flags.enums import DEFINING, ChangeKind
from apps.flags.errors import FlagInvalid, FlagKeyTaken, VersionNotFound
from apps.flags.models import Flag, FlagChange, TenantOverride, audit_target
from apps.flags.services.common import checked, definitions, held_flag, hold_definitions, record

MOST_TAGS, LONGEST_TAG = 20, 60


class FlagFields(TypedDict, total=False):
    """What a definition is made of, by the names of contracts/service.md, section 2."""

    description: str
    defaultEnabled: bool
    type: str
    variations: list[Any]
    offVariation: str | None
    rules: list[Any]
    rollout: dict[str, Any] | None
    prerequisites: list[Any]
    hash: str
    salt: str
    tags: list[str]
    owner: str
    expiresAt: datetime | None
    needsApproval: bool


def create_flag(*, actor: Principal, key: str, fields: FlagFields, reason: str = "") -> Flag:
    """A new flag; it is evaluated everywhere at once.

    Its salt is random where none is given, so that no two flags pick the same tenants.

    Raises:
        FlagInvalid: the definition makes no sense; `details` says where.
        FlagKeyTaken: by a flag, archived or not.
    """
    with write("flag.create", actor=actor, target=audit_target(key[:128]), reason=reason) as w:
        hold_definitions()
        if Flag.objects.filter(key=key).exists():
            raise FlagKeyTaken(details={"key": [f"There is a flag {key!r} already."]})
        flag = Flag(key=key, salt=fields.get("salt") or new_id().hex, version=1)
        _assign(flag, fields)
        flag.save(force_insert=True)
        record(w, flag, ChangeKind.CREATED, actor=actor, before=None, after=flag.definition())
    return flag


def update_flag(
    *,
    actor: Principal,
    key: str,
    fields: FlagFields,
    if_match: int | None = None,
    reason: str = "",
    approved: bool = False,
) -> Flag:
    """Changes the fields that are given.

    Args:
        approved: a second person was asked when the change was scheduled.

    Raises:
        FlagNotFound, FlagArchived, FlagInvalid
        PreconditionFailed: `if_match` is not the present version.
        ApprovalRequired: see apps.flags.services.approved.
    """
    if not fields:
        raise FlagInvalid("body", "Say what is to change.")
    with write("flag.update", actor=actor, target=audit_target(key[:128]), reason=reason) as w:
        hold_definitions()
        flag = held_flag(key, actor=actor, if_match=if_match, checked=not approved)
        before = flag.definition()
        _change(flag, fields)
        _settle(w, flag, ChangeKind.UPDATED, before, actor)
    return flag


def changed_copy(flag: Flag, fields: FlagFields) -> Flag:
    """The flag as `update_flag` would make it of these fields; nothing is kept. Only under `hold_definitions` does that
    still count in the next moment.

    Raises:
        FlagInvalid
    """
    found = copy(flag)
    _change(found, fields)
    return found


def archive_flag(*, actor: Principal, key: str, if_match: int | None = None, reason: str = "") -> Flag:
    """Takes a flag out of use: it evaluates to off, its key stays taken, `restore_version` brings it back.

    Raises:
        FlagNotFound, FlagArchived, PreconditionFailed, ApprovalRequired
    """
    with write("flag.archive", actor=actor, target=audit_target(key[:128]), reason=reason) as w:
        hold_definitions()
        flag = held_flag(key, actor=actor, if_match=if_match)
        before = flag.definition()
        flag.is_archived = True
        _settle(w, flag, ChangeKind.ARCHIVED, before, actor)
    return flag


def restore_version(
    *, actor: Principal, key: str, version: int, if_match: int | None = None, reason: str = ""
) -> Flag:
    """Makes the definition of a former version the newest one; an archived flag comes back by it.

    Raises:
        FlagNotFound, VersionNotFound, PreconditionFailed, ApprovalRequired
        FlagInvalid: it no longer fits (a segment or a prerequisite is gone).
    """
    with write("flag.restore", actor=actor, target=audit_target(key[:128]), reason=reason) as w:
        hold_definitions()
        flag = held_flag(key, actor=actor, if_match=if_match, archived_too=True)
        change = FlagChange.objects.filter(flag=flag, version=version, kind__in=DEFINING).first()
        if change is None or change.after is None:
            raise VersionNotFound
        before, was = flag.definition(), dict(change.after)
        flag.is_archived = was.pop("isArchived")
        was.pop("key")
        was["expiresAt"] = datetime.fromisoformat(was["expiresAt"]) if was["expiresAt"] else None
        _change(flag, was)
        w.note(restored_version=version)
        _settle(w, flag, ChangeKind.RESTORED, before, actor)
    return flag


_COLUMNS = {
    "description": "description",
    "defaultEnabled": "default_enabled",
    "type": "type",
    "variations": "variations",
    "offVariation": "off_variation",
    "rules": "rules",
    "rollout": "rollout",
    "prerequisites": "prerequisites",
    "hash": "hash",
    "salt": "salt",
    "tags": "tags",
    "owner": "owner",
    "expiresAt": "expires_at",
    "needsApproval": "needs_approval",
}


def _change(flag: Flag, fields: Mapping[str, Any]) -> None:
    _assign(flag, fields)
    _keep_what_others_name(flag)


def _assign(flag: Flag, fields: Mapping[str, Any]) -> None:
    """Puts the fields into the row, in their full form.

    Raises:
        FlagInvalid
    """
    for name, value in fields.items():
        setattr(flag, _COLUMNS[name], value)
    if "variations" in fields and "offVariation" not in fields:
        keys = [each.get("key") for each in flag.variations if isinstance(each, dict)]
        if flag.off_variation not in keys:
            flag.off_variation = ""
    _check_plain(flag)
    read = checked(flag.evaluated())
    flag.variations = [{"key": each.key, "value": each.value} for each in read.variations]
    flag.off_variation, flag.salt, flag.hash, flag.type = read.off_variation, read.salt, read.hash, read.type


def _check_plain(flag: Flag) -> None:
    """What no evaluation depends on.

    Raises:
        FlagInvalid
    """
    tags = flag.tags
    if (
        len(tags) > MOST_TAGS
        or len(set(tags)) != len(tags)
        or any(not 1 <= len(tag) <= LONGEST_TAG for tag in tags)
    ):
        raise FlagInvalid("tags", f"At most {MOST_TAGS} different tags of 1 to {LONGEST_TAG} characters.")
    if len(flag.description) > 1000:
        raise FlagInvalid("description", "At most 1000 characters.")
    if len(flag.owner) > 200:
        raise FlagInvalid("owner", "At most 200 characters.")


def _keep_what_others_name(flag: Flag) -> None:
    """A variation that an override or another flag's prerequisite names can't go.

    Raises:
        FlagInvalid
    """
    known = {each["key"] for each in flag.variations}
    named = TenantOverride.objects.filter(flag=flag).exclude(variation="").exclude(variation__in=known)
    lost = named.values_list("variation", flat=True).first()
    if lost is not None:
        raise FlagInvalid("variations", f"Tenants' overrides give the variation {lost!r}; remove them first.")
    for other in definitions().values():
        for wanted in other.prerequisites:
            if wanted.key == flag.key and wanted.variation not in known:
                raise FlagInvalid(
                    "variations", f"{other.key} asks for the variation {wanted.variation!r} of this flag."
                )


def _settle(w: Write, flag: Flag, kind: ChangeKind, before: dict[str, Any], actor: Principal) -> None:
    """Stores a new version, unless nothing changed."""
    after = flag.definition()
    if after == before:
        w.note(unchanged=True)
        return
    flag.version += 1
    flag.updated_at = now()
    flag.same_for_all = None
    flag.save()
    record(w, flag, kind, actor=actor, before=before, after=after)
