# botopt as a service. docs/howto/container.md says how to build, run, upgrade and back up.
#
#   docker build --tag botopt .           or: make image
#
# Build arguments, all optional:
#   BASE             a Debian with Python 3.11 or newer; name a digest to build the same image again
#   BUILD_PACKAGES   what compiles durable-rules there; a Debian's own Python needs python3-dev and python3-venv, too
#   PIP_CERT         a path, inside the build, of the certificates that pip trusts
#   VERSION, REVISION, SOURCE_DATE_EPOCH   what labels say, and the time that files of botopt carry
#
# Build secrets, all optional; none of them reaches the image:
#   --secret id=ca,src=FILE     the certificates that pip trusts
#   --secret id=pip,src=FILE    a pip.conf, for a package index of your own
ARG BASE=docker.io/library/python:3.12-slim

# ---------------------------------------------------------------- build: a compiler, wheels, and the environment

FROM ${BASE} AS build

ARG BUILD_PACKAGES="gcc libc6-dev"
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ${BUILD_PACKAGES} \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /build
# Both names of the constraints (pip's old and new one) pin what builds packages, too. -g0: no paths of this build in
# the compiled network. Wheels know no time before 1980.
ENV PIP_CONFIG_FILE=/run/secrets/pip \
    PIP_CONSTRAINT=/build/constraints.txt \
    PIP_BUILD_CONSTRAINT=/build/constraints.txt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_NO_INPUT=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_USE_PEP517=1 \
    CFLAGS=-g0
ARG PIP_CERT
ARG SOURCE_DATE_EPOCH=315532800
# The libraries first: they change less often than botopt, and this layer is kept until they do.
COPY pyproject.toml constraints.txt ./
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    python3 -m venv tools \
    && tools/bin/python -c 'import tomllib; p = tomllib.load(open("pyproject.toml", "rb"))["project"]; e = p["optional-dependencies"]; print(*p["dependencies"], *e["server"], *e["otel"], *e["apprise"], sep="\n")' > requirements.txt \
    && tools/bin/pip wheel --quiet --wheel-dir wheels --requirement requirements.txt

COPY . .
RUN --mount=type=secret,id=ca --mount=type=secret,id=pip \
    if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    tools/bin/pip wheel --quiet --wheel-dir wheels --no-deps . \
    && python3 -m venv --without-pip /opt/botopt \
    && tools/bin/pip --python /opt/botopt/bin/python install --quiet --no-compile --no-index --find-links wheels \
        'botopt[server,otel,apprise]' \
    && /opt/botopt/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/botopt/lib \
    && find /opt/botopt -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

# ---------------------------------------------------------------- the image: no compiler, no headers, no pip

FROM ${BASE}

# The user has a fixed number, so that volumes and `runAsNonRoot` can rely on it. Nothing here may change its user by
# being run (setuid), and nothing installs packages.
RUN echo 'botopt:x:10001:10001:botopt:/var/lib/botopt:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'botopt:x:10001:' >> /etc/group \
    && install -d -o 10001 -g 10001 -m 0750 /var/lib/botopt \
    && install -d /policy \
    && rm -rf /usr/local/include /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/pip* \
        /usr/local/lib/python3*/ensurepip \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +

COPY --from=build /opt/botopt /opt/botopt

ENV PATH=/opt/botopt/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/var/lib/botopt \
    BOTOPT_CACHE_DIR=/var/lib/botopt/cache \
    TMPDIR=/tmp \
    LANG=C.UTF-8 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

# The policy is mounted here, to be read only. State and cache are in the volume; nothing else is written, but for /tmp.
WORKDIR /policy
VOLUME /var/lib/botopt
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM

# Whether the process lives. Whether it is ready, and why not, says /readyz. No proxy is asked, whatever the environment.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-IS", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8080, timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]

ENTRYPOINT ["botopt"]
CMD ["serve", "-w", "/policy", "--state", "/var/lib/botopt/state.db", "--host", "0.0.0.0", "--port", "8080", "--log-format", "json"]

# Last, because they differ with every build.
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="botopt" \
      org.opencontainers.image.description="A declarative decision engine for proactive chatbot messages" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
