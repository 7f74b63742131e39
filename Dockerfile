# One image for every process of ours: web, live, worker, beat, engine, metrics, backup. PostgreSQL, Redis and the proxy are
# images of their own. Build: docker build . (BuildKit or not; PYTHON_IMAGE: another base with Python 3.11 to 3.13)
ARG PYTHON_IMAGE=python:3.12-slim-bookworm
FROM ${PYTHON_IMAGE}

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# a fixed number: the proxy runs as it too, and reads what certificates.py wrote
RUN groupadd --gid 10001 muster \
    && useradd --uid 10001 --gid 10001 --no-log-init --create-home --home-dir /srv/muster muster \
    && install -d -o muster -g muster -m 0700 /srv/muster/files /srv/muster/counts /srv/muster/backup /srv/muster/spool /srv/muster/witness \
       /srv/muster/authority /srv/muster/certificates /srv/muster/control
WORKDIR /srv/muster/code

COPY requirements.lock ./
# PostgreSQL's programs come with the lock: the backup uses them (the embedded default's servers stay unused here)
RUN python -m pip install --require-hashes --only-binary :all: -r requirements.lock
COPY manage.py ./
COPY accounts accounts
COPY coordination coordination
COPY incidents incidents
COPY sharing sharing
COPY templates templates
COPY static static
COPY locale locale
COPY deploy/certificates.py deploy/healthy.py deploy/

ENV DJANGO_SETTINGS_MODULE=coordination.config.settings \
    MUSTER_FILES=/srv/muster/files \
    MUSTER_STATIC_ROOT=/srv/muster/static \
    MUSTER_BACKUP_SPOOL=/srv/muster/spool \
    MUSTER_HASHED_STATIC=1
# compiled and collected once, here: the root is read-only when it runs
RUN python manage.py prepare --static \
    && python -m compileall -q -j 0 /srv/muster/code \
    && chmod -R a+rX /srv/muster/static /srv/muster/code \
    && chmod 0755 /srv/muster
ENV PYTHONDONTWRITEBYTECODE=1
USER muster
EXPOSE 8000
CMD ["python", "-m", "coordination.config.serve", "--host", "0.0.0.0", "--port", "8000"]
