"""The jobs' table, read only: what waits, runs, and has failed. (The core knows no pages.)"""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from apps.backoffice import cells
from apps.backoffice.blocks import Block, Code, Fact, Facts, Note, Row, Table
from apps.backoffice.home import Figure, Matter, Matters, Panel, home
from apps.backoffice.listing import Column, Filter, Order, Rows
from apps.backoffice.model_admin import ModelAdmin
from apps.backoffice.seen import Seen
from apps.backoffice.site import site
from apps.backoffice.tabs import Heading, Tab
from apps.core import ids
from apps.core.access import allows
from apps.core.clock import now
from apps.core.enums import JobStatus
from apps.core.jobs.registry import job_types
from apps.core.models import Job
from apps.core.observability.redaction import redact, redact_text
from apps.core.principal import Principal
from apps.core.write import Target

_TONES: dict[str, str] = {
    JobStatus.WAITING: "grey",
    JobStatus.ACTIVE: "blue",
    JobStatus.COMPLETED: "green",
    JobStatus.FAILED: "red",
}
_SHOWN = 5
_MAIL = "core.send_mail"
_LATE = timedelta(minutes=5)
_OF_A_TENANT = 100


def _status(job: Job, _seen: Seen) -> cells.Cell:
    return cells.badge(job.status, _TONES[job.status])


def _error(job: Job, _seen: Seen) -> cells.Cell:
    return redact_text(str((job.error or {}).get("message", "")))[:120] or cells.NOTHING


def _took(job: Job) -> cells.Cell:
    if job.started_at is None or job.finished_at is None:
        return cells.NOTHING
    return f"{(job.finished_at - job.started_at).total_seconds():,.1f} s"


def _by_status(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(status=value)


def _by_name(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(name=value)


def _by_queue(found: Rows, value: str, _seen: Seen) -> Rows:
    return found.filter(queue=value)


def _names(_seen: Seen) -> list[tuple[str, str]]:
    return [(known.name, known.name) for known in job_types()]


def _queues(_seen: Seen) -> list[tuple[str, str]]:
    return [(queue, queue) for queue in sorted({known.queue for known in job_types()})]


def _shown(value: Any) -> str:
    """JSON for people, secrets hidden; what is sealed stays sealed."""
    return json.dumps(redact(value), indent=2, sort_keys=True, default=str)


def _overview(job: Job, seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    facts = [
        Fact("Status", _status(job, seen)),
        Fact("Queue", job.queue, job.engine),
        Fact("Attempts", f"{job.attempts} of {job.max_attempts}"),
        Fact(
            "Asked for by",
            site.actor(str(job.actor.get("id", "")), seen),
            f"via {job.actor['via']}" if job.actor.get("via") else "",
        ),
        Fact("Tenant", _tenant(job, seen)),
        Fact("Request", cells.whole_id(job.request_id) if job.request_id else cells.NOTHING),
        Fact("Key of its effect", cells.or_nothing(job.unique_key or "")),
    ]
    when = [
        Fact("Created", cells.instant(job.created_at)),
        Fact("Due", cells.instant(job.run_at)),
        Fact("Sent to a worker", cells.instant(job.dispatched_at)),
        Fact("Started", cells.instant(job.started_at)),
        Fact("Ended", cells.instant(job.finished_at)),
        Fact("Took", _took(job)),
        Fact("Progress", _progress(job)),
    ]
    blocks: list[Block] = [Facts("What it is", facts), Facts("When", when)]
    if job.error:
        blocks.insert(0, Note(redact_text(str(job.error.get("message", ""))), "red", "error"))
        if job.error.get("stack_trace"):
            blocks.append(Code("Stack trace", redact_text(str(job.error["stack_trace"]))))
    blocks.append(Code("Arguments", _shown(job.args)))
    if job.result is not None:
        blocks.append(Code("Result", _shown(job.result)))
    return blocks


def _progress(job: Job) -> cells.Cell:
    if not job.progress:
        return cells.NOTHING
    return (
        f"{job.progress.get('done', 0):,} of {job.progress.get('total', 0):,} {job.progress.get('note', '')}"
    )


def _tenant(job: Job, seen: Seen) -> cells.Cell:
    if job.tenant_id is None:
        return cells.NOTHING
    return site.named(ids.public(ids.TENANT, job.tenant_id), seen)


@site.section
class JobAdmin(ModelAdmin):
    """Work in the background."""

    model = Job
    path: ClassVar[str] = "jobs"
    prefix: ClassVar[str] = ids.JOB
    permission: ClassVar[str] = "jobs.read"
    title: ClassVar[str] = "Jobs"
    singular: ClassVar[str] = "job"
    icon: ClassVar[str] = "work_history"
    group: ClassVar[str] = "System"
    order: ClassVar[int] = 80
    suggests: ClassVar[bool] = False
    search_hint: ClassVar[str] = "Id, or a part of the name"
    blank: ClassVar[str] = "No job has been asked for in the last 30 days."
    columns: ClassVar[Sequence[Column]] = [
        Column("id", "Id", lambda job, _seen: cells.ident(ids.public(ids.JOB, job.id)), kind="id"),
        Column("name", "Job", lambda job, _seen: job.name),
        Column("status", "Status", _status),
        Column("queue", "Queue", lambda job, _seen: job.queue),
        Column("attempts", "Attempts", lambda job, _seen: f"{job.attempts} of {job.max_attempts}", kind="number"),
        Column("created", "Created", lambda job, _seen: cells.instant(job.created_at), kind="when",
               order=Order(up=["id"], down=["-id"])),
        Column("due", "Due", lambda job, _seen: cells.ago(job.run_at) if job.status == JobStatus.WAITING
               else cells.NOTHING),
        Column("took", "Took", lambda job, _seen: _took(job), kind="number"),
        Column("error", "Error", _error),
    ]  # fmt: skip
    filters: ClassVar[Sequence[Filter]] = [
        Filter("status", "Status", _by_status, choices=lambda _seen: [(s, s) for s in JobStatus.values]),
        Filter("queue", "Queue", _by_queue, choices=_queues),
        Filter("name", "Job", _by_name, choices=_names),
    ]
    tabs: ClassVar[Sequence[Tab]] = [Tab("overview", "Job", _overview, order=10)]

    def rows(self, principal: Principal, permission: str) -> Rows:
        return Job.objects.all() if allows(principal, permission) else Job.objects.none()

    def search_rows(self, rows: Rows, term: str, seen: Seen) -> Rows:
        del seen
        job_id = ids.parse_or_none(ids.JOB, term)
        return rows.filter(id=job_id) if job_id else rows.filter(name__icontains=term)

    def public_id(self, row: Any) -> str:
        return ids.public(ids.JOB, row.id)

    def tone(self, row: Any) -> str:
        return "red" if row.status == JobStatus.FAILED else ""

    def heading(self, row: Any, seen: Seen) -> Heading:
        del seen
        return Heading(row.name, public_id=self.public_id(row), badges=[(row.status, _TONES[row.status])])

    def target(self, row: Any) -> Target:
        return Target(type="job", id=self.public_id(row), tenant_id=row.tenant_id)


def _of_tenant(tenant: Any, _seen: Seen, _asked: Mapping[str, str]) -> list[Block]:
    own = Job.objects.filter(tenant_id=tenant.id).order_by("-id")[:_OF_A_TENANT]
    rows = [
        Row(
            [
                job.name,
                cells.badge(job.status, _TONES[job.status]),
                cells.instant(job.created_at),
                _took(job),
            ],
            url=site.list_url("jobs") + ids.public(ids.JOB, job.id) + "/",
        )
        for job in own
    ]
    heads = [("Job", "text"), ("Status", "text"), ("Created", "text"), ("Took", "number")]
    return [Table("Jobs", heads, rows, "No job was asked for this tenant in the last 30 days.")]


def _figures(principal: Principal) -> list[Figure]:
    del principal
    waiting = Job.objects.filter(status=JobStatus.WAITING, run_at__lte=now()).count()
    late = Job.objects.filter(status=JobStatus.WAITING, run_at__lte=now() - _LATE).count()
    note = f"{late:,} for over five minutes" if late else "nothing is late"
    return [
        Figure(
            "Jobs waiting", waiting, note, site.list_url("jobs", "status=waiting"), "orange" if late else ""
        )
    ]


def _listed(title: str, icon: str, tone: str, query: str, rows: Rows, principal: Principal) -> Matters:
    """The newest jobs of a kind of trouble, with the way to all."""
    found = list(rows.order_by("-id")[: _SHOWN + 1])
    matters = [
        Matter(
            job.name,
            cells.ago(job.finished_at or job.run_at),
            site.link("jobs", ids.public(ids.JOB, job.id), principal) or "",
        )
        for job in found[:_SHOWN]
    ]
    return Matters(title, matters, icon, tone, site.list_url("jobs", query), more=len(found) > _SHOWN)


def _failed(principal: Principal) -> Matters:
    rows = Job.objects.filter(status=JobStatus.FAILED).exclude(name=_MAIL)
    return _listed("Failed jobs", "error", "red", "status=failed", rows, principal)


def _mail(principal: Principal) -> Matters:
    rows = Job.objects.filter(status=JobStatus.FAILED, name=_MAIL)
    query = f"status=failed&name={_MAIL}"
    return _listed("Mail that could not be sent", "unsubscribe", "red", query, rows, principal)


def _late(principal: Principal) -> Matters:
    rows = Job.objects.filter(status=JobStatus.WAITING, run_at__lte=now() - _LATE)
    return _listed("Jobs that nobody takes", "hourglass_top", "orange", "status=waiting", rows, principal)


home.figures.append(Panel("jobs", "jobs.read", _figures, order=40))
home.matters.append(Panel("failed-jobs", "jobs.read", _failed, order=10))
home.matters.append(Panel("mail", "jobs.read", _mail, order=11))
home.matters.append(Panel("late-jobs", "jobs.read", _late, order=12))
site.add_tab("tenants", Tab("jobs", "Jobs", _of_tenant, permission="jobs.read", order=70))
