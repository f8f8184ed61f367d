# Four images of one source: docker build --target dashboard|api|worker|mlflow -t stockcast-NAME .
# Each listens at all addresses of its container, runs as 10001 and writes below /data and /tmp alone.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_PYTHON=/opt/stockcast/bin/python
RUN python -m venv --without-pip /opt/stockcast
WORKDIR /app

FROM build AS everything
# Where the small CPU build of torch is found; empty takes the default index and its CUDA packages.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
COPY requirements.txt ./
RUN pip install --extra-index-url "$TORCH_INDEX" -r requirements.txt
COPY . ./
RUN pip install --no-deps --editable . && pip inspect > /opt/stockcast/sbom.json

FROM build AS some
# Without torch, Lightning, Streamlit, Plotly, Arrow and all else that only learning and looking need.
COPY deploy/images/requirements-api.txt ./
RUN pip install --no-deps -r requirements-api.txt
COPY . ./
RUN pip install --no-deps --editable . && pip inspect > /opt/stockcast/sbom.json

FROM build AS tracking
COPY deploy/images/requirements-mlflow.txt ./
RUN pip install -r requirements-mlflow.txt && pip inspect > /opt/stockcast/sbom.json

FROM ${PYTHON} AS base
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="stockcast" \
      org.opencontainers.image.description="Honest stock price forecasts" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim-bookworm" \
      stockcast.sbom="/opt/stockcast/sbom.json"
RUN useradd --uid 10001 --no-create-home --home-dir /tmp stockcast && install -d -o 10001 -g 10001 /data
WORKDIR /app
ENV PATH=/opt/stockcast/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    STOCKCAST_HOME=/data
USER 10001:10001
VOLUME /data

FROM base AS api
COPY --from=some /opt/stockcast /opt/stockcast
COPY --from=some /app /app
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=4)"]
CMD ["stockcast", "serve", "api", "--host", "0.0.0.0"]

FROM base AS mlflow
ENV MLFLOW_DISABLE_TELEMETRY=true \
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
COPY --from=tracking /opt/stockcast /opt/stockcast
EXPOSE 5000
HEALTHCHECK --interval=15s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/health', timeout=4)"]
# Its database is a secret, so it may come from a file; where artifacts go is MLFLOW_ARTIFACTS_DESTINATION.
CMD ["sh", "-c", "MLFLOW_BACKEND_STORE_URI=${MLFLOW_BACKEND_STORE_URI:-$(cat /run/secrets/mlflow_database_url)} exec mlflow server --host 0.0.0.0 --workers 2"]

FROM base AS worker
COPY --from=everything /opt/stockcast /opt/stockcast
COPY --from=everything /app /app
EXPOSE 9108
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9108/metrics', timeout=9)"]
CMD ["stockcast", "worker", "--metrics-port", "9108", "--metrics-host", "0.0.0.0"]

# The last one is what a build without --target gives.
FROM base AS dashboard
COPY --from=everything /opt/stockcast /opt/stockcast
COPY --from=everything /app /app
# Whoever publishes the port decides who may come to it.
ENV STOCKCAST_DASHBOARD_GUARDED=true
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "stockcast.ui.server", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
