# One image for everything that `patrol` does; it serves unless told otherwise.
#   docker build -t patrol .
#   docker run -e SLACK_BOT_TOKEN -e SLACK_APP_TOKEN -e PATROL_WAREHOUSE_URL -v patrol:/project/.patrol -p 8080:8080 patrol
#   docker run --rm patrol check
#   docker run --rm --network host patrol demo        # its page listens on this machine only
# Your own policies instead of the demo's:  -v "$PWD/policies:/project/policies:ro" -v "$PWD/sql:/project/sql:ro"
# It has Snowflake's driver, SageMaker's and pictures; without them:  docker build --build-arg EXTRAS=pictures -t patrol .

FROM python:3.11-slim AS build
# Of pyproject.toml's extras, those that requirements.lock holds.
ARG EXTRAS=pictures,sagemaker,snowflake
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
# Every wheel of the lock is fetched and held against its hash. The tools of development are among them;
# below, without an index, only what patrol itself needs is taken out of that folder.
COPY requirements.lock ./
RUN pip wheel --require-hashes -r requirements.lock -w /wheels
COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
COPY sensors ./sensors
RUN pip wheel --no-deps -w /wheels .
RUN python -m venv --without-pip /opt/patrol \
 && pip --python /opt/patrol/bin/python install --no-index --find-links /wheels "patrol[$EXTRAS]"

FROM python:3.11-slim
# For bundles that lie in repositories.
RUN apt-get update \
 && apt-get install -y --no-install-recommends git openssh-client \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /project --shell /usr/sbin/nologin patrol \
 && mkdir -p /project/.patrol \
 && chown -R 10001 /project/.patrol
COPY --from=build /opt/patrol /opt/patrol
# Inside a container health and figures must be reachable from outside of it.
ENV PATH=/opt/patrol/bin:$PATH PYTHONUNBUFFERED=1 PATROL_HOST=0.0.0.0 PATROL_PORT=8080
WORKDIR /project
COPY patrol.yml manifest.yaml ./
COPY policies ./policies
COPY sql ./sql
# A number, so that Kubernetes can see that it is not root.
USER 10001
# State and the demo's data. SQLite needs a disk of this host, not a network one.
VOLUME /project/.patrol
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['PATROL_PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["patrol"]
CMD ["serve"]
