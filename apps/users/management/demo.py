"""The demo world, as data: who and what `manage.py seed` makes. The same on every run; nothing is drawn by lot."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.core.access import Role
from apps.tenants.enums import TenantStatus
from apps.users.enums import MembershipRole

DAYS = 90  # over which sign-ups are spread
SIZES = {"small": 10, "demo": 40, "medium": 160}
# Tenants and people of the size that is copied (apps.users.management.copying); two rows of the trail for each person.
LARGE = (200_000, 1_000_000)
DEMO_PASSWORD = "a demo of steward"  # noqa: S105  of staff in development alone; printed by the command
STAFF_DOMAIN = "steward.local"
# Not super_admin: that one is bootstrap_operator's.
STAFF = [
    ("admin", "Ada Admin", [Role.ADMIN]),
    ("support", "Sam Support", [Role.SUPPORT]),
    ("finance", "Fay Finance", [Role.FINANCE]),
    ("ops", "Otto Ops", [Role.OPS]),
    ("qa", "Quinn Qa", [Role.QA]),
    ("lead", "Lee Lead", [Role.ADMIN, Role.FINANCE, Role.OPS]),
]


def _words(text: str) -> list[str]:
    return text.split("|")


COMPANIES = _words(
    "Northwind Bakery|Halden Robotics|Blue Fjord Travel|Pinecrest Dental|Osprey Logistics|Kite & Kettle|Marlow Legal|"
    "Fennel Foods|Granite Peak Gear|Lumen Studio|Tidewater Marine|Juniper Health|Copperline Energy|Sable Software|"
    "Willow Lane Florists|Redwood Tutors|Harbor Freightways|Mosaic Media|Quarry Street Coffee|Elmhurst Clinics|"
    "Driftwood Hotels|Cobalt Analytics|Thistle Textiles|Beacon Insurance|Anchor Fitness|Saffron Kitchens|"
    "Meridian Maps|Larkspur Labs|Oakhaven Homes|Velvet Cinema|Ridgeback Motors|Clover Credit|Sparrow Post|"
    "Nimbus Weather|Foxglove Pharma|Ironbridge Steel|Papaya Payroll|Sunstone Solar|Tandem Bikes|Umber Architects"
)
FIRST = _words(
    "Amara|Bruno|Chiara|Dmitri|Elena|Farid|Greta|Hiro|Ines|Jonas|Kofi|Leila|Mateo|Nadia|Oscar|Priya|Quentin|Rosa|"
    "Stefan|Tamsin|Ulrik|Vera|Wanda|Xavier|Yusuf|Zofia|Anders|Bianca|Cyril|Daphne|Emil"
)
LAST = _words(
    "Abbott|Bergström|Castillo|Dunmore|Eriksen|Fontaine|Galloway|Hashimoto|Ivanova|Jansen|Kowalski|Lindqvist|"
    "Moreau|Nakamura|Okafor|Petrov|Quinn|Rossi|Schneider|Takeda|Ueda|Vasquez|Whitfield|Yamada|Zeller|Ashworth|"
    "Boateng|Caruso|Delgado"
)
_PLANS = ("starter", "growth", "free", "pro", "professional", "free_trial", "enterprise", "regulated")
_COUNTRIES = ("DE", "US", "GB", "FR", "SE", "ES", "")
# Of every twenty: mostly customers who pay, some on trial, a few who stopped, two for tests.
_FATES = (
    *[TenantStatus.ACTIVE] * 9,
    TenantStatus.PROVISIONING,
    *[TenantStatus.TRIAL] * 4,
    TenantStatus.SUSPENDED,
    TenantStatus.SUSPENDED,
    TenantStatus.CANCELLED,
    TenantStatus.CANCELLED,
)


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    name: str
    role: MembershipRole
    signed_in_days_ago: int | None


@dataclass(frozen=True, slots=True)
class Customer:
    """One tenant to be. `days_ago`: when it signed up."""

    slug: str
    company_name: str
    plan: str
    country: str
    fate: TenantStatus
    is_test: bool
    days_ago: int
    workspaces: int
    people: list[Person]

    @property
    def owner(self) -> Person:
        return self.people[0]


def customers(count: int) -> Iterator[Customer]:
    """The first `count` customers, oldest sign-up first."""
    for number in range(count):
        round_, place = divmod(number, len(COMPANIES))
        name = COMPANIES[place] + (f" {round_ + 1}" if round_ else "")
        slug = name.lower().replace(" & ", "-").replace(" ", "-")
        is_test = number % 20 >= len(_FATES)
        fate = TenantStatus.ACTIVE if is_test else _FATES[number * 7 % len(_FATES)]
        yield Customer(
            slug=slug,
            company_name=f"{name} (test)" if is_test else name,
            plan="free_trial" if fate is TenantStatus.TRIAL else _PLANS[number * 3 % len(_PLANS)],
            country=_COUNTRIES[number % len(_COUNTRIES)],
            fate=fate,
            is_test=is_test,
            days_ago=_days_ago(number, count),
            workspaces=1 + number % 3,
            people=list(_people(number, slug)),
        )


def _days_ago(number: int, count: int) -> int:
    """Spread over the whole span, a little denser towards the present."""
    share = number / max(1, count - 1)
    return int((DAYS - 1) * (1 - share) ** 1.2)


def _people(number: int, slug: str) -> Iterator[Person]:
    roles = [MembershipRole.OWNER, MembershipRole.ADMIN, *[MembershipRole.MEMBER] * 3]
    for place, role in enumerate(roles[: 1 + (number * 2 + 3) % len(roles)]):
        first = FIRST[(number * 5 + place * 11) % len(FIRST)]
        last = LAST[(number * 3 + place * 7) % len(LAST)]
        local = f"{first}.{last}".lower().replace("ö", "o")
        seen = (number * 3 + place * 5) % 40
        yield Person(
            email=f"{local}@{slug}.example",
            name=f"{first} {last}",
            role=role,
            signed_in_days_ago=None if seen > 30 else seen,
        )
