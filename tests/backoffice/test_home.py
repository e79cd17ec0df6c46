"""The home page: figures and charts of what the reader may see, and what needs a person now."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from redis.exceptions import ConnectionError as RedisAway

from apps.backoffice.charts import plot, strips
from apps.backoffice.home import Bar, BarChart, Board, DayChart, board, home
from apps.configuration.snapshot import Snapshot, store
from apps.core.clock import now
from apps.core.ids import new_id
from apps.core.models import FailedAttempt, Job
from apps.exports.models import Export
from apps.tenants.enums import TenantStatus
from apps.tenants.models import Purge
from tests.backoffice.visits import World, visitor
from tests.factories import make_facts, make_member, make_staff, make_tenant, make_user, staff_principal
from tests.users.support import enrol


def seen_by(*roles: str) -> Board:
    return board(staff_principal(*roles))


def figure(found: Board, title: str) -> Any:
    return next(one.value for one in found.figures if one.title == title)


@pytest.mark.django_db
def test_figures_are_those_of_the_rows() -> None:
    make_facts(make_tenant(), mrr=Decimal("10.40"), currency="USD")
    make_facts(
        make_tenant(status=TenantStatus.TRIAL, trial_ends_at=now()), mrr=Decimal("20.00"), currency="USD"
    )
    make_facts(make_tenant(is_test=True), mrr=Decimal(999), currency="USD")
    found = seen_by("super_admin")
    assert figure(found, "Paying tenants") == 1
    assert figure(found, "On trial") == 1
    assert figure(found, "MRR, USD") == "30"
    assert figure(found, "Users") == 1  # who reads


@pytest.mark.django_db
def test_figure_that_nobody_owns_yet_is_not_invented() -> None:
    make_tenant()
    assert not [one for one in seen_by("super_admin").figures if one.title.startswith("MRR")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "charts", "jobs"),
    [
        ("super_admin", ["Tenants by status", "Sign-ups"], True),
        ("support", ["Tenants by status", "Sign-ups"], False),
        ("finance", ["Tenants by status"], False),
        ("ops", ["Tenants by status"], True),
    ],
)
def test_reader_gets_the_figures_of_their_roles(role: str, charts: list[str], jobs: bool) -> None:
    make_tenant()
    found = seen_by(role)
    assert [chart.title for chart in found.charts] == charts
    assert any(one.title == "Jobs waiting" for one in found.figures) == jobs


@pytest.mark.django_db
def test_qa_counts_test_tenants_and_their_people_alone() -> None:
    make_member(make_tenant())
    make_member(make_tenant(is_test=True))
    found = seen_by("qa")
    assert figure(found, "Active test tenants") == 1
    assert figure(found, "Users") == 1
    assert figure(seen_by("admin"), "Users") == 4  # two readers beside them


@pytest.mark.django_db
def test_sign_ups_stand_on_their_days() -> None:
    make_user(created_at=now() - timedelta(days=3))
    make_user(created_at=now() - timedelta(days=3))
    make_user(created_at=now() - timedelta(days=100))
    chart = next(one for one in seen_by("support").charts if isinstance(one, DayChart))
    counted = {day: count for day, count in chart.days if count}
    assert len(chart.days) == 90
    assert counted == {(now() - timedelta(days=3)).date(): 2, now().date(): 1}


@pytest.mark.django_db
def test_what_needs_a_person_is_listed_with_the_way_there() -> None:
    ending = make_tenant(
        company_name="Nearly Over", status=TenantStatus.TRIAL, trial_ends_at=now() + timedelta(days=2)
    )
    make_tenant(company_name="Long Way", status=TenantStatus.TRIAL, trial_ends_at=now() + timedelta(days=20))
    make_tenant(
        company_name="Held",
        status=TenantStatus.SUSPENDED,
        suspended_from=TenantStatus.ACTIVE,
        suspended_at=now(),
    )
    make_tenant(company_name="Short Test", is_test=True, test_expires_at=now() + timedelta(days=1))
    make_user(name="Locked Out", blocked_at=now())
    page = visitor("super_admin").get("/backoffice/").content.decode()
    now_needed = page.split("Needs a person now")[1].split("sw-charts")[0]
    assert f"/backoffice/tenants/{ending.public_id}/" in now_needed
    assert "Held" in now_needed
    assert "Short Test" in now_needed
    assert "Locked Out" in now_needed
    assert "Long Way" not in now_needed


@pytest.mark.django_db
def test_failed_jobs_and_waiting_approvals_are_told_to_who_may_act(world: World) -> None:
    operator = visitor("super_admin").get("/backoffice/").content.decode()
    assert "Failed jobs" in operator
    assert "Approvals waiting" in operator
    support = visitor("support").get("/backoffice/").content.decode()
    assert "Failed jobs" not in support
    assert "Approvals waiting" not in support


def waits(found: Board, title: str) -> list[str]:
    return [str(matter.label) for one in found.matters if one.title == title for matter in one.matters]


def make_job(name: str, **fields: Any) -> Job:
    return Job.objects.create(id=new_id(), name=name, engine="celery", queue="celery", **fields)


@pytest.mark.django_db
def test_work_that_went_wrong_is_told_by_its_kind() -> None:
    ended = {"status": "failed", "finished_at": now()}
    make_job("tenants.rebuild_facts", **ended)
    make_job("core.send_mail", **ended)
    make_job("tenants.end_overrides", run_at=now() - timedelta(minutes=6))
    make_job("audit.late_but_young", run_at=now() - timedelta(minutes=4))
    gone = make_tenant()
    Purge.objects.create(tenant_id=gone.id, slug="slow-purge", started_at=now() - timedelta(hours=2))
    found = seen_by("ops")
    assert waits(found, "Failed jobs") == ["tenants.rebuild_facts"]
    assert waits(found, "Mail that could not be sent") == ["core.send_mail"]
    assert waits(found, "Jobs that nobody takes") == ["tenants.end_overrides"]
    assert waits(found, "Purges that do not end") == ["slow-purge"]
    assert not waits(seen_by("finance"), "Failed jobs")


@pytest.mark.django_db
def test_staff_without_a_second_factor_are_told_to_who_manages_staff() -> None:
    make_staff("ops", name="One Factor")
    enrol(make_staff("ops", name="Two Factors"))
    make_staff("ops", name="Locked", suspended_at=now())
    labels = waits(seen_by("super_admin"), "Staff without a second factor")
    assert "One Factor" in labels
    assert not {"Two Factors", "Locked"} & set(labels)
    assert not waits(seen_by("admin"), "Staff without a second factor")


@pytest.mark.django_db
def test_address_that_guesses_is_told_with_its_trail() -> None:
    for address, times in (("203.0.113.5", 10), ("203.0.113.6", 9)):
        FailedAttempt.objects.bulk_create(
            FailedAttempt(at=now(), kind="sign_in", account=bytes(32), address=address) for _ in range(times)
        )
    found = next(one for one in seen_by("super_admin").matters if one.title == "Guessing at sign-ins")
    assert [matter.label for matter in found.matters] == ["203.0.113.5"]
    assert found.matters[0].url == "/backoffice/audit/?address=203.0.113.5"
    assert not waits(seen_by("support"), "Guessing at sign-ins")


@pytest.mark.django_db
def test_failed_export_is_told_to_who_asked_for_it() -> None:
    asker, other = staff_principal("finance"), staff_principal("super_admin")
    fields = {"kind": "platform.tenants", "format": "csv", "roles": ["finance"], "object_key": "x"}
    Export.objects.create(status="failed", requested_by=asker.id, error="disk", **fields)
    assert len(waits(board(asker), "Your exports that failed")) == 1
    assert not waits(board(other), "Your exports that failed")


@pytest.mark.django_db
def test_stored_value_that_does_not_fit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "current", lambda: Snapshot(ignored=frozenset({"jobs.retention_days"})))
    assert waits(seen_by("super_admin"), "Settings out of order") == ["jobs.retention_days"]
    assert not waits(seen_by("ops"), "Settings out of order")


@pytest.mark.django_db
def test_nothing_to_do_is_said_in_a_sentence() -> None:
    page = visitor("finance").get("/backoffice/").content.decode()
    assert "Nothing needs you now." in page
    assert "Looked at, and nothing there: trials ending, suspended tenants, your exports that failed." in page


@pytest.mark.django_db
def test_figures_are_remembered_for_each_reach_apart() -> None:
    make_tenant()
    assert figure(seen_by("admin"), "Paying tenants") == 1
    make_tenant()
    assert figure(seen_by("finance"), "Paying tenants") == 1  # of the same minute
    assert figure(seen_by("qa"), "Active test tenants") == 0  # another reach, another figure
    cache.clear()
    assert figure(seen_by("admin"), "Paying tenants") == 2


@pytest.mark.django_db
def test_without_the_cache_figures_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_kwargs: Any) -> None:
        raise RedisAway

    make_tenant()
    monkeypatch.setattr(cache, "get", away)
    assert figure(seen_by("admin"), "Paying tenants") == 1


def test_panels_have_names_of_their_own() -> None:
    for panels in (home.figures, home.charts, home.matters):
        names = [panel.name for panel in panels]
        assert len(names) == len(set(names))


def test_chart_of_nothing_has_no_bars_and_of_something_its_shares() -> None:
    empty = BarChart("T", [Bar("a", 0, "green")], empty="")
    assert strips(empty) == []
    shown = strips(BarChart("T", [Bar("a", 3, "green"), Bar("b", 1, "blue"), Bar("c", 0, "red")], empty=""))
    assert [(strip.width, strip.share) for strip in shown] == [(75, "75 %"), (25, "25 %"), (0, "0 %")]


def test_day_chart_keeps_the_place_of_empty_days() -> None:
    today = now().date()
    days = [(today - timedelta(days=2), 0), (today - timedelta(days=1), 4), (today, 2)]
    drawn = plot(DayChart("T", days, unit="", empty=""))
    assert [bar.height for bar in drawn.bars] == [0, 120, 60]
    assert drawn.bars[1].x - drawn.bars[0].x == pytest.approx(drawn.width / 3)
