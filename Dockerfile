# No `# syntax=` line: it would need a registry. BuildKit's built-in frontend has all that is used here.
ARG PYTHON_VERSION=3.12
ARG BASE_IMAGE=python:${PYTHON_VERSION}-slim-bookworm


# Empty; where there is no network a bundle's wheels take its place: `invoke build --offline`.
FROM scratch AS wheels


FROM ${BASE_IMAGE} AS builder

# Runs a command with the wheels of a bundle, or else with the CA bundle, the package index and the proxy that were
# given as secrets, if any were.
COPY --chmod=755 <<'EOT' /usr/local/bin/with-network
#!/bin/sh
if [ -n "$(ls /run/wheels)" ]; then
    export PIP_NO_INDEX=1 PIP_FIND_LINKS=/run/wheels UV_OFFLINE=1 UV_FIND_LINKS=/run/wheels
    exec "$@"
fi
if [ -f /run/secrets/ca ]; then
    export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca
fi
if [ -f /run/secrets/index_url ]; then
    PIP_INDEX_URL=$(cat /run/secrets/index_url)
    export PIP_INDEX_URL UV_DEFAULT_INDEX="$PIP_INDEX_URL"
fi
if grep -qs '^http' /run/secrets/proxy; then
    HTTPS_PROXY=$(cat /run/secrets/proxy)
    NO_PROXY=$(cat /run/secrets/no_proxy 2> /dev/null || :)
    export HTTPS_PROXY NO_PROXY HTTP_PROXY="$HTTPS_PROXY"
    export https_proxy="$HTTPS_PROXY" http_proxy="$HTTPS_PROXY" no_proxy="$NO_PROXY"
fi
exec "$@"
EOT

WORKDIR /build
COPY requirements/build.txt ./
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=bind,from=wheels,target=/run/wheels \
    --mount=type=secret,id=ca --mount=type=secret,id=index_url \
    --mount=type=secret,id=proxy --mount=type=secret,id=no_proxy \
    PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 \
    with-network python -m pip install --quiet --no-compile --require-hashes --requirement build.txt

COPY requirements/service.txt ./
# Without installer metadata: of a wheel from a folder it would hold that file's time.
RUN --mount=type=cache,target=/root/.cache/uv --mount=type=bind,from=wheels,target=/run/wheels \
    --mount=type=secret,id=ca --mount=type=secret,id=index_url \
    --mount=type=secret,id=proxy --mount=type=secret,id=no_proxy \
    uv venv --quiet --python "$(command -v python)" /opt/venv && \
    UV_LINK_MODE=copy UV_NO_INSTALLER_METADATA=1 VIRTUAL_ENV=/opt/venv \
    with-network uv pip install --quiet --require-hashes --requirement service.txt

# Bytecode of the modules that are imported, of the standard library too (official images ship none), so that the
# first start does not compile them. Its header holds a hash instead of a time: the same sources give the same bytes.
# What nothing imports is left out: tests, type stubs, C headers, onnxruntime's conversion tools, and its C library,
# which its Python module holds once more (it links to nothing of it: 35 MB).
RUN <<'EOT'
set -eu
cd /opt/venv/lib/python3.*/site-packages
find . -type d \( -name tests -o -name test -o -name include \) -prune -exec rm -r {} +
find . -name '*.pyi' -delete
rm -rf onnxruntime/tools onnxruntime/transformers onnxruntime/quantization numpy/f2py
rm -f onnxruntime/capi/libonnxruntime.so.*
/opt/venv/bin/python - <<'EOPY'
import importlib
import pathlib
import py_compile
import sys

for name in ("fastapi", "uvicorn.protocols.http.httptools_impl", "uvicorn.lifespan.on", "uvicorn.loops.asyncio",
             "onnxruntime", "argparse", "http.client", "logging.config", "multiprocessing.spawn", "tomllib", "runpy"):
    importlib.import_module(name)
for module in list(sys.modules.values()):
    source = pathlib.Path(getattr(module, "__file__", None) or "none")
    if source.suffix == ".py":
        compiled = pathlib.Path("/bytecode", *source.parts[1:-1], "__pycache__",
                                f"{source.stem}.{sys.implementation.cache_tag}.pyc")
        py_compile.compile(str(source), cfile=str(compiled), doraise=True,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
EOPY
find /opt/venv /usr/local/lib -name __pycache__ -prune -exec rm -r {} +
rm -f /opt/venv/.lock
EOT


FROM ${BASE_IMAGE} AS runner

# The account is written by hand, since useradd would stamp /etc/shadow with today's date. The base's setuid and setgid
# programs (su, mount, passwd …) lose those bits: nobody here is to become anybody else.
RUN find / -xdev -type f -perm /6000 -exec chmod a-s {} + && \
    echo 'appuser:x:1000:' >> /etc/group && \
    echo 'appuser:x:1000:1000:house-pricing-api:/nonexistent:/usr/sbin/nologin' >> /etc/passwd && \
    install --directory --owner=1000 --group=1000 /app/logs

COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /bytecode /

# The rights are set, not taken from the checkout: one made under umask 077 could not be read by UID 1000.
WORKDIR /app
COPY --chmod=755 config config
COPY --chmod=755 src/house_pricing house_pricing

# What the service reads, with its defaults; empty is unset. Not here: the secrets API_KEY, MLFLOW_TRACKING_PASSWORD and
# MLFLOW_TRACKING_TOKEN, and AUTH, whose only use is to switch the key off. onnxruntime reports to its maker by default.
ENV API_ENV=production \
    API_KEY_FILE= \
    CONFIG_DIR=/app/config \
    DRAIN_SECONDS=0 \
    FORWARDED_ALLOW_IPS=127.0.0.1 \
    HEALTHCHECK_TIMEOUT=3 \
    HOST=0.0.0.0 \
    LOG_BACKUPS=5 \
    LOG_DIR=/app/logs \
    LOG_LEVEL=info \
    LOG_MAX_BYTES=10000000 \
    MAX_BATCH=1000 \
    MAX_BODY_BYTES=1048576 \
    MLFLOW_TRACKING_URI= \
    MLFLOW_TRACKING_USERNAME= \
    MODEL_ALIAS=champion \
    MODEL_CACHE_DIR=/app/logs/models \
    MODEL_MAX_BYTES=67108864 \
    MODEL_NAME=house-pricing \
    MODEL_PATH= \
    PORT=8000 \
    RATE_LIMIT=0 \
    REQUEST_SECONDS=10 \
    ROOT_PATH= \
    ORT_DISABLE_TELEMETRY=1 \
    PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1

USER 1000:1000
VOLUME ["/app/logs"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["python", "-m", "house_pricing.healthcheck"]
CMD ["python", "-m", "house_pricing"]
