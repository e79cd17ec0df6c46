"""Support sees personal data masked wherever it looks, and can't undo it by searching or sorting."""

import html

import pytest

from apps.audit.admin.timeline import PAGE_SIZE
from apps.backoffice.seen import Seen
from apps.core.principal import Principal, PrincipalKind
from tests.backoffice.visits import World, pages, visitor
from tests.factories import make_member, make_tenant, make_user
from tests.surfaces.places import PERSONAL


def bytes_of(world: World, *roles: str) -> dict[str, bytes]:
    """Every page that opens, by its address, beside the home page and the palette."""
    client = visitor(*roles)
    found = {}
    addresses = [page.url for page in (*pages(world.live), *pages(world.test))]
    found_by = [
        "/backoffice/",
        "/backoffice/search/?q=acme",
        "/backoffice/search/?q=zephyrine.live@acme.example",
    ]
    lists = [
        "/backoffice/users/?status=active",
        "/backoffice/tenants/?q=acme",
        "/backoffice/users/?sort=email",
    ]
    for address in (*addresses, *found_by, *lists):
        response = client.get(address)
        if response.status_code == 200:
            found[address] = response.content
    return found


@pytest.mark.django_db
def test_support_finds_no_personal_datum_in_the_bytes_of_any_page(world: World) -> None:
    shown = bytes_of(world, "support")
    assert len(shown) > 25
    for address, content in shown.items():
        # What the reader typed comes back in the field; nothing else may.
        for word in PERSONAL:
            asked = word.decode().lower() in address
            assert asked or word not in content, (address, word)


@pytest.mark.django_db
def test_the_same_search_finds_personal_data_where_they_may_be_seen(world: World) -> None:
    """The test above would pass over empty pages: this one says that they are not."""
    together = b"".join(bytes_of(world, "super_admin").values())
    for word in (b"Quillon", b"zephyrine", b"198.51.100.77", b"2001:db8:77::77"):
        assert word in together


@pytest.mark.django_db
def test_support_sees_masks_where_the_data_stand(world: World) -> None:
    client = visitor("support")
    page = client.get(f"/backoffice/users/{world.live['users']}/?tab=timeline").content.decode()
    assert "Z*** Q***" in page
    assert "z***@acme.example" in page
    assert "198.51.100.x" in page
    members = client.get(f"/backoffice/tenants/{world.live['tenants']}/?tab=members").content.decode()
    assert "Z*** Q***" in members


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("zephyrine.live@acme.example", True),
        ("ZEPHYRINE.live@acme.example", True),
        ("zephyrine.live", False),
        ("zephyrine", False),
        ("Quillon", False),
        ("acme.example", False),
    ],
)
def test_support_finds_a_person_by_the_whole_address_alone(world: World, typed: str, found: bool) -> None:
    client = visitor("support")
    user = world.places.live.user.public_id
    for address in (f"/backoffice/users/?q={typed}", f"/backoffice/users/suggest/?q={typed}"):
        assert (f"/backoffice/users/{user}/" in client.get(address).content.decode()) == found
    palette = client.get(f"/backoffice/search/?q={typed}").content.decode()
    assert (f"/backoffice/users/{user}/" in palette) == found


@pytest.mark.django_db
def test_support_finds_a_person_by_id(world: World) -> None:
    user = world.places.live.user.public_id
    assert (
        f"/backoffice/users/{user}/"
        in visitor("support").get(f"/backoffice/users/?q={user}").content.decode()
    )


@pytest.mark.django_db
def test_support_does_not_learn_an_order_by_e_mail(db: None) -> None:
    tenant = make_tenant()
    for letter in "cab":
        make_member(tenant, email=f"{letter}@sorted.example", name=letter)
    client = visitor("support")
    default = client.get("/backoffice/users/").content
    for sort in ("email", "-email"):
        assert order(client.get(f"/backoffice/users/?sort={sort}").content) == order(default)
    assert b"?sort=email" not in default
    assert b"?sort=email" in visitor("admin").get("/backoffice/users/").content


def order(content: bytes) -> list[bytes]:
    return [part.split(b'"')[0] for part in content.split(b'data-href="')[1:]]


@pytest.mark.django_db
def test_support_can_not_look_for_an_address_or_a_name_in_a_trail(world: World) -> None:
    client = visitor("support")
    trail = f"/backoffice/users/{world.live['users']}/?tab=timeline"
    everything = client.get(trail).content.count(b'class="sw-event ')
    assert 0 < everything <= PAGE_SIZE
    by_address = client.get(f"{trail}&address=203.0.113.99").content.count(b'class="sw-event ')
    assert by_address >= everything  # as if it were not given; looking itself adds a row
    assert client.get(f"{trail}&words=Quillon").content.count(b'class="sw-event ') == 0
    assert visitor("admin").get(f"{trail}&words=Quillon").content.count(b'class="sw-event ') > 0


@pytest.mark.django_db
def test_csv_of_a_trail_is_had_from_the_page_and_masked_alike(world: World) -> None:
    for role, shown in (("support", False), ("admin", True)):
        client = visitor(role)
        page = client.get(
            f"/backoffice/users/{world.live['users']}/?tab=timeline&action=sample.note"
        ).content.decode()
        address = html.unescape(page.split('" download')[0].rpartition('href="')[2])
        answer = client.get(address)
        content = answer.getvalue()
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/csv")
        assert content.count(b"sample.note") > 1
        assert (b"Quillon" in content) == shown


@pytest.mark.django_db
def test_holding_qa_too_does_not_lift_the_mask(world: World) -> None:
    client = visitor("support", "qa")
    assert b"Quillon" not in client.get("/backoffice/users/").content


@pytest.mark.django_db
def test_reset_password_dialog_names_the_address_only_to_who_may_see_it(world: World) -> None:
    make_user(email="somebody@else.example")
    address = f"/backoffice/users/{world.live['users']}/reset-password/"
    assert b"zephyrine.live@acme.example" in visitor("admin").get(address).content
    assert visitor("support").get(address).status_code == 403


def eyes(*roles: str) -> Seen:
    principal = Principal(kind=PrincipalKind.STAFF, id="usr_1", roles=frozenset(roles))
    return Seen(principal, "users.read")


def test_seen_masks_every_kind_for_support_and_nothing_for_admin() -> None:
    clear, masked = eyes("admin"), eyes("support").knowing(["John Doe"])
    assert clear.email("jane@acme.com") == "jane@acme.com"
    assert masked.email("jane@acme.com") == "j***@acme.com"
    assert masked.name("John Doe") == "J*** D***"
    assert masked.address("203.0.113.7") == "203.0.113.x"
    assert (
        masked.text("John wrote from jane@acme.com at 203.0.113.7")
        == "J*** wrote from j***@acme.com at 203.0.113.x"
    )
    assert masked.json({"name": "John Doe", "note": ["Doe said so"]}) == {
        "name": "J*** D***",
        "note": ["D*** said so"],
    }
    assert clear.text("John") == "John"
