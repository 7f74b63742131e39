# One image for every process: web, worker, beat, engine. PostgreSQL and Redis are services of their own.
FROM python:3.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN useradd --system --create-home --home-dir /srv/muster muster \
    && install -d -o muster -g muster -m 0700 /srv/muster/files /srv/muster/static
WORKDIR /srv/muster/code

COPY requirements.lock ./
# the programs of the embedded default (PostgreSQL, Redis, supervisor's services) come with the lock; they stay unused here
RUN pip install --require-hashes --only-binary :all: -r requirements.lock
COPY manage.py ./
COPY accounts accounts
COPY coordination coordination
COPY incidents incidents
COPY sharing sharing
COPY templates templates
COPY static static
COPY locale locale

ENV DJANGO_SETTINGS_MODULE=coordination.config.settings \
    MUSTER_FILES=/srv/muster/files \
    MUSTER_STATIC_ROOT=/srv/muster/static \
    MUSTER_HASHED_STATIC=1
USER muster
EXPOSE 8000
CMD ["python", "-m", "coordination.config.serve", "--host", "0.0.0.0", "--port", "8000"]
