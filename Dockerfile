# Steward: one image; what a container is (web, stream, worker, scheduler, rq, migrate) its command says.
# It writes nothing outside /tmp, the object store and the file of the last flags, so it can run with a read-only root:
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges …
ARG BASE=python:3.11-slim-bookworm
ARG PROXY=nginxinc/nginx-unprivileged:1-alpine

FROM ${BASE} AS packages
WORKDIR /app
COPY requirements.runtime.lock ./
# Wheels alone, each held against its hash: nothing is compiled here but bytecode, which can't be at run time.
RUN python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install --quiet --disable-pip-version-check --no-cache-dir --compile \
       --only-binary :all: --require-hashes -r requirements.runtime.lock

FROM ${BASE} AS application
LABEL org.opencontainers.image.title="Steward" \
      org.opencontainers.image.description="Back office and control plane of a multi-tenant SaaS" \
      org.opencontainers.image.licenses="Apache-2.0"
# The folders belong to the user that serves; a new named volume mounted here takes their owner over.
RUN groupadd --system --gid 10001 steward \
    && useradd --system --uid 10001 --gid 10001 --no-create-home --home-dir /app --shell /usr/sbin/nologin steward \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/steward /var/lib/steward/objects /var/lib/steward/flags
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    OBJECT_STORE_ROOT=/var/lib/steward/objects
COPY --from=packages /venv /venv
COPY manage.py pyproject.toml LICENSE ./
COPY apps apps
COPY config config
COPY scripts/healthy.py scripts/healthy.py
COPY openapi openapi
COPY static static
COPY templates templates
# Collecting files reads the settings; these values serve nothing else and stay in this one step.
RUN mkdir staticfiles \
    && SECRET_KEY=0000000000000000000000000000000000000000 \
       STEWARD_MASTER_KEYS=build:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= STEWARD_KEY_PEPPER=0000000000000000 \
       DATABASE_URL=postgresql://build@127.0.0.1/build REDIS_URL=redis://127.0.0.1/0 \
       python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q apps config
USER 10001:10001
EXPOSE 8000
# Granian ends its workers when it is told to; requests under way have ten seconds.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["python", "scripts/healthy.py", "web"]
CMD ["granian", "config.wsgi:application", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "8", "--backlog", "1024", "--no-ws", "--http", "1", \
     "--respawn-failed-workers", "--workers-kill-timeout", "10"]

# `--target proxy`: nginx with the same release's static files.
FROM ${PROXY} AS proxy
COPY deploy/nginx.conf /etc/nginx/nginx.conf
COPY --from=application /app/staticfiles /srv/static

FROM application
