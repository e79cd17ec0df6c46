"""The rows of `seed --size=large`: tenants, people and their trail as lines for COPY, the same bytes each time.

Nothing is drawn by lot and nothing comes from the clock: ids (UUIDv7) and salts are hashes of what they stand for,
instants count from a fixed day. Shapes are those that the services write (apps.tenants.services.provisioning,
apps.users.services); a test compares them.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from apps.audit.canonical import entry_hash
from apps.core.ids import TENANT, USER
from apps.users.management.demo import COMPANIES, FIRST, LAST
from apps.users.services.memberships import MEMBERSHIP

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 1000
GENESIS = bytes(32)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_STATUSES = ("active",) * 7 + ("trial", "suspended", "cancelled")
_ROLES = ("owner", "admin", "member", "member", "member")
_ACTOR_BODY = '{"address":null,"label":"seed"}'

Line = str


def ulid(hexadecimal: str) -> str:
    """26 letters for 128 bits, as `apps.core.ids.public` writes them behind its prefix."""
    number = int(hexadecimal, 16)
    return "".join(_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10))


@dataclass(frozen=True, slots=True)
class GivenPlan:
    """A plan that tenants are put on: ids of the rows in this database."""

    id: str
    slug: str
    version_id: int
    version: int


@dataclass(frozen=True)
class World:
    """How many there are. Each person is a member of one tenant; the first of a tenant owns it."""

    tenants: int
    users: int
    plans: tuple[GivenPlan, ...]

    @cached_property
    def each(self) -> int:
        """People of a tenant."""
        return self.users // self.tenants

    def joined(self, user: int) -> datetime:
        """When somebody was made: people come in the order of their numbers, all within the days of the world."""
        return EPOCH + timedelta(seconds=user * DAYS * 86_400 // self.users, microseconds=user % 1_000_000)

    def founded(self, tenant: int) -> datetime:
        return self.joined(tenant * self.each)

    def tenant_id(self, tenant: int) -> str:
        return _id("tenant", tenant, self.founded(tenant))

    def user_id(self, user: int) -> str:
        return _id("user", user, self.joined(user))

    def membership_id(self, user: int) -> str:
        return _id("membership", user, self.joined(user))

    def plan(self, tenant: int) -> GivenPlan:
        return self.plans[tenant % len(self.plans)]

    def role(self, user: int) -> str:
        return _ROLES[min(user % self.each, len(_ROLES) - 1)]


def slug(tenant: int) -> str:
    return f"load-{tenant:06d}"


def email(world: World, user: int) -> str:
    local = f"{FIRST[user % len(FIRST)]}.{LAST[user // 7 % len(LAST)]}.{user}".lower().replace("ö", "o")
    return f"{local}@{slug(user // world.each)}.example"


def name(user: int) -> str:
    return f"{FIRST[user % len(FIRST)]} {LAST[user // 7 % len(LAST)]}"


def _id(kind: str, number: int, at: datetime) -> str:
    rest = bytearray(hashlib.blake2b(f"{kind}:{number}".encode(), digest_size=10).digest())
    rest[0] = 0x70 | rest[0] & 0x0F
    rest[2] = 0x80 | rest[2] & 0x3F
    whole = (int(at.timestamp() * 1000).to_bytes(6, "big") + rest).hex()
    return f"{whole[:8]}-{whole[8:12]}-{whole[12:16]}-{whole[16:20]}-{whole[20:]}"


def _public(prefix: str, identifier: str) -> str:
    return f"{prefix}_{ulid(identifier.replace('-', ''))}"


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def tenants(world: World) -> Iterator[Line]:
    """tenants_tenant."""
    for n in range(world.tenants):
        at, plan, status = world.founded(n), world.plan(n), _STATUSES[n % len(_STATUSES)]
        when = _at(at)
        yield "\t".join(
            (
                world.tenant_id(n),
                slug(n),
                f"{COMPANIES[n % len(COMPANIES)]} {n}",
                email(world, n * world.each),
                status,
                "f",
                plan.id,
                str(plan.version_id),
                plan.id,
                str(plan.version),
                _at(at + timedelta(days=14)) if status == "trial" else r"\N",
                r"\N" if status == "trial" else when,
                when if status == "suspended" else r"\N",
                "active" if status == "suspended" else "",
                when if status == "cancelled" else r"\N",
                "",
                "{}",
                r"\N",
                "1",
                when,
                when,
            )
        )


def facts(world: World) -> Iterator[Line]:
    """tenants_facts: figures without an owner are null."""
    for n in range(world.tenants):
        yield f"{world.tenant_id(n)}\t{world.each}\t0\t{_at(world.founded(n))}"


def status_changes(world: World) -> Iterator[Line]:
    """tenants_status_change."""
    for n in range(world.tenants):
        began = "trial" if _STATUSES[n % len(_STATUSES)] == "trial" else "active"
        yield f"{world.tenant_id(n)}\t{_at(world.founded(n))}\tprovisioning\t{began}\tseed\t"


def people(world: World) -> Iterator[Line]:
    """users_user. Nobody knows a password."""
    for n in range(world.users):
        at = world.joined(n)
        when = _at(at)
        seen = _at(at + timedelta(hours=n % 700)) if n % 3 else r"\N"
        suspended = when if n % 50 == 7 else r"\N"
        blocked = when if n % 100 == 13 else r"\N"
        void = when if n % 50 == 7 or n % 100 == 13 else r"\N"
        yield (
            f"{world.user_id(n)}\t{email(world, n)}\t{name(n)}\t!{n:040d}\t{seen}\t{suspended}\t{blocked}\t"
            f"{void}\t\t1\t{when}\t{when}"
        )


def memberships(world: World) -> Iterator[Line]:
    """users_membership."""
    for n in range(world.users):
        yield (
            f"{world.membership_id(n)}\t{world.user_id(n)}\t{world.tenant_id(n // world.each)}\t{world.role(n)}\t"
            f"{_at(world.joined(n))}"
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the trail before it is chained."""

    id: str
    chain: str
    at: datetime
    action: str
    resource_type: str
    resource_id: str
    tenant_id: str | None
    person_id: str | None
    subject: str


def of_tenants(world: World) -> Iterator[Entry]:
    """Chains of tenants: made, and each member but the owner added."""
    for n in range(world.tenants):
        tenant, at, status = world.tenant_id(n), world.founded(n), _STATUSES[n % len(_STATUSES)]
        chain, tenant_name = f"tenant:{tenant}", _public(TENANT, tenant)
        ends = f'"{_milliseconds(at + timedelta(days=14))}"' if status == "trial" else "null"
        after = (
            f'{{"is_test":false,"plan":"{world.plan(n).slug}","slug":"{slug(n)}","status":"{status}",'
            f'"trial_ends_at":{ends}}}'
        )
        yield Entry(
            _id("entry:tenant", n, at),
            chain,
            at,
            "tenant.provision",
            "tenant",
            tenant_name,
            tenant,
            None,
            _subject(after),
        )
        for user in range(n * world.each + 1, (n + 1) * world.each):
            person, joined = world.user_id(user), world.joined(user)
            after = f'{{"role":"{world.role(user)}","tenant_id":"{tenant_name}","user_id":"{_public(USER, person)}"}}'
            yield Entry(
                _id("entry:membership", user, joined),
                chain,
                joined,
                "membership.add",
                "membership",
                _public(MEMBERSHIP, world.membership_id(user)),
                tenant,
                person,
                _subject(after),
            )


def of_people(world: World) -> Iterator[Entry]:
    """The platform's chain: each person made."""
    for n in range(world.users):
        person, at = world.user_id(n), world.joined(n)
        after = f'{{"email":"{email(world, n)}","name":{json.dumps(name(n), ensure_ascii=False)}}}'
        yield Entry(
            _id("entry:user", n, at),
            "platform",
            at,
            "user.create",
            "user",
            _public(USER, person),
            None,
            person,
            _subject(after),
        )


def _subject(after: str) -> str:
    return f'{{"after":{after},"before":{{}},"reason":""}}'


def _milliseconds(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _salt(entry: str, part: str) -> bytes:
    return hashlib.blake2b(f"salt:{part}:{entry}".encode(), digest_size=16).digest()


class Chained:
    """Lines of audit_entry in order; afterwards `heads` are the lines of audit_head."""

    def __init__(self, entries: Iterator[Entry], *, seq: int = 0, previous: bytes = GENESIS) -> None:
        """
        Args:
            seq, previous: the last row of the first chain, where that has rows already.
        """
        self._entries, self._seq, self._previous = entries, seq, previous
        self.heads: list[tuple[str, int, bytes]] = []

    def lines(self) -> Iterator[Line]:
        chain, seq, previous = None, self._seq, self._previous
        for entry in self._entries:
            if chain is not None and entry.chain != chain:
                self.heads.append((chain, seq, previous))
                seq, previous = 0, GENESIS
            chain, seq = entry.chain, seq + 1
            actor = hashlib.sha256(_salt(entry.id, "actor") + _ACTOR_BODY.encode()).hexdigest()
            subject = hashlib.sha256(_salt(entry.id, "subject") + entry.subject.encode()).hexdigest()
            when = _at(entry.at)
            digest = entry_hash(previous, chain, seq, _text(entry, when, actor, subject))
            yield (
                f"{entry.id}\t{chain}\t{seq}\t{when}\tsystem\tseed\tcommand\t{entry.action}\t{entry.resource_type}\t"
                f"{entry.resource_id}\t{entry.tenant_id or NULL}\t{entry.person_id or NULL}\tsuccess\t{{}}\t\t\t"
                f"\\\\x{actor}\t\\\\x{subject}\t\\\\x{previous.hex()}\t\\\\x{digest.hex()}"
            )
            previous = digest
        if chain is not None:
            self.heads.append((chain, seq, previous))


NULL = r"\N"


def _text(entry: Entry, when: str, actor: str, subject: str) -> str:
    """`apps.audit.canonical.entry_text` of the row: keys in order, no spaces."""
    return (
        f'{{"action":"{entry.action}","actor_commitment":"{actor}","actor_id":"seed","actor_kind":"system","at":"{when}",'
        f'"correlation_id":"","id":"{entry.id}","metadata":{{}},"outcome":"success","person_id":{_quoted(entry.person_id)},'
        f'"request_id":"","resource_id":"{entry.resource_id}","resource_type":"{entry.resource_type}",'
        f'"subject_commitment":"{subject}","tenant_id":{_quoted(entry.tenant_id)},"via":"command"}}'
    )


def _quoted(value: str | None) -> str:
    return "null" if value is None else f'"{value}"'


def details(entries: Iterator[Entry]) -> Iterator[Line]:
    """audit_detail: two rows an entry."""
    for entry in entries:
        yield f"{entry.id}\tactor\t\\N\t\\\\x{_salt(entry.id, 'actor').hex()}\t{_ACTOR_BODY}"
        yield (
            f"{entry.id}\tsubject\t{entry.person_id or NULL}\t\\\\x{_salt(entry.id, 'subject').hex()}\t{entry.subject}"
        )
