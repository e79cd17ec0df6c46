# Steward: one image; what a container is (web, stream, worker, scheduler, rq, migrate) its command says.
FROM python:3.11-slim AS packages
WORKDIR /app
COPY requirements.lock ./
RUN python -m venv /venv \
    && /venv/bin/pip install --quiet --no-cache-dir --require-hashes --compile -r requirements.lock

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /app steward
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=config.settings
COPY --from=packages /venv /venv
COPY . .
# Collecting files reads the settings; these values serve nothing else and stay in this one step.
RUN SECRET_KEY=0000000000000000000000000000000000000000 \
    STEWARD_MASTER_KEYS=build:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= STEWARD_KEY_PEPPER=0000000000000000 \
    DATABASE_URL=postgresql://build@127.0.0.1/build REDIS_URL=redis://127.0.0.1/0 \
    python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q apps config
USER steward
EXPOSE 8000
CMD ["granian", "config.wsgi:application", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "8", "--no-ws", "--http", "1", "--respawn-failed-workers"]
