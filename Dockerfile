# Builds the image with a container engine. scripts/image builds the same image without one.
#
#   docker build -t REGISTRY/certpair:0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" \
#     --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" --build-arg CREATED="$(TZ=UTC0 git log -1 --format=%cd --date=format-local:%FT%TZ)" .
FROM debian:12 AS build
COPY . /src
# The time of the files, because the history of the repository is not available here.
ARG SOURCE_DATE_EPOCH=0
RUN SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" /src/scripts/image --folder /image

FROM scratch
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
COPY --from=build /image /
USER 65532:65532
WORKDIR /
ENV PATH=/usr/bin
ENTRYPOINT ["/usr/bin/certpair-controller"]
LABEL org.opencontainers.image.title="certpair" \
      org.opencontainers.image.description="Manages the X.509 client certificates of outbound connections" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
