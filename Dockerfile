# fit-check with Binnacle. Build: docker build --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" .
# `npm run image` runs these steps without a Docker engine (scripts/image/); it knows the instructions used here.
ARG NODE_IMAGE=node:22-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# The manifests by themselves first: a change of the sources then keeps the layer with the packages.
COPY package.json package-lock.json .npmrc ./
COPY packages/binnacle/package.json packages/binnacle/
COPY apps/fit-check/package.json apps/fit-check/
COPY apps/console/package.json apps/console/
RUN npm ci
COPY tsconfig.base.json ./
COPY scripts scripts
COPY packages/binnacle packages/binnacle
COPY apps/console apps/console
COPY apps/fit-check apps/fit-check
RUN npm run build

# A stage of its own, so that npm's cache stays out of the image.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/binnacle/package.json packages/binnacle/
COPY apps/fit-check/package.json apps/fit-check/
COPY apps/console/package.json apps/console/
RUN npm ci --omit=dev --workspace fit-check --workspace binnacle
# Without the optional peers that npm keeps as they are development packages too: the SDKs that Binnacle is tested with.
COPY scripts /scripts
RUN node /scripts/image/prune.mjs apps/fit-check packages/binnacle

FROM ${NODE_IMAGE} AS runtime
# What the service may write: this folder, by its user, and nothing else. A new volume takes over owner and mode.
RUN install -d -o 1000 -g 1000 /data
WORKDIR /app
# All of it belongs to root: the service can read its code, and not change it.
COPY --from=dependencies /app ./
COPY --from=build /app/packages/binnacle/dist packages/binnacle/dist
COPY --from=build /app/apps/fit-check/dist apps/fit-check/dist
COPY apps/fit-check/assets apps/fit-check/assets
COPY deploy/healthcheck.mjs deploy/
COPY LICENSE ./
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8000 DATABASE_URL=file:/data/fit-check.db
# Last, as they change with each build.
ARG VERSION=dev
ARG REVISION=
ENV REVISION=${REVISION}
LABEL org.opencontainers.image.title="fit-check" \
  org.opencontainers.image.description="How well does a candidate's profile fit? Streamed, and observed by Binnacle" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
# A number, so that Kubernetes' runAsNonRoot can tell; it is the base image's `node`.
USER 1000:1000
# Liveness, not readiness: Swarm and its like replace what is unhealthy, and that cures no database. Who routes asks
# /health/ready. The service listens only once its first checks have run, so healthy means started, too.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["node", "deploy/healthcheck.mjs"]
# node itself: npm would die of the signal before the service has finished its streams.
CMD ["node", "apps/fit-check/dist/main.js"]
