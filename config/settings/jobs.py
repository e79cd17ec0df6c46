"""Celery and RQ. PostgreSQL is the truth about jobs (apps.core.jobs); the brokers only wake workers."""

from config.env import environment

env = environment()

CELERY_BROKER_URL = env.REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Longer than the longest task: a task that is still running must not be handed out again.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 7200,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # A request whose broker is away goes on at once: its jobs stand in their table.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
    "connect_retries_timeout": 2,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "config.celery.SlotScheduler"
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000

RQ_QUEUES = {
    "operator": {"URL": env.REDIS_URL, "DEFAULT_TIMEOUT": 3600},
}
JOB_SWEEP_SECONDS = 5

# Who locks a tenant against removal (apps.tenants): lower floors know tenants by id alone.
TENANT_HOLDER = "apps.tenants.directory.hold"

# Who appends to the trail (apps.core.write): named here, because the core knows no domain.
AUDIT_RECORDER = "apps.audit.services.append"
