# One image for every Airflow component. The warehouse is PostgreSQL's own image.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    AIRFLOW_HOME=/opt/airflow \
    JOINEDUP_HOME=/var/lib/joinedup \
    GX_ANALYTICS_ENABLED=false

WORKDIR /opt/joinedup

# The dependencies change less often than our code: a layer of their own.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir pipelines && touch pipelines/__init__.py \
    && pip install -c constraints.txt -e .

COPY pipelines pipelines
COPY schemas schemas
COPY expectations expectations
COPY dags dags

# The commit goes into each run manifest; without git in the image, only the build can tell it.
ARG JOINEDUP_COMMIT
ENV JOINEDUP_COMMIT=$JOINEDUP_COMMIT

RUN useradd --system --uid 50000 --home-dir "$AIRFLOW_HOME" joinedup \
    && mkdir -p "$AIRFLOW_HOME/logs" "$AIRFLOW_HOME/state" "$JOINEDUP_HOME/inbox" \
    && chown -R joinedup:joinedup "$AIRFLOW_HOME" "$JOINEDUP_HOME" \
    && chmod 700 "$AIRFLOW_HOME/state" "$JOINEDUP_HOME"
USER joinedup
