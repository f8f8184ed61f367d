# The dashboard. Build: docker build -t stockcast .    Run: docker run -p 8501:8501 -v stockcast:/data stockcast
FROM python:3.12-slim-bookworm AS build
# Where the small CPU build of torch is found; empty takes the default index and its CUDA packages.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/stockcast
WORKDIR /app
COPY requirements.txt ./
RUN /opt/stockcast/bin/pip install --extra-index-url "$TORCH_INDEX" -r requirements.txt
COPY . ./
RUN /opt/stockcast/bin/pip install --no-deps --editable .

FROM python:3.12-slim-bookworm
RUN useradd --uid 10001 --create-home stockcast && install -d -o stockcast /data
COPY --from=build /opt/stockcast /opt/stockcast
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/stockcast/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STOCKCAST_HOME=/data
USER 10001
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "stockcast.ui.server", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
