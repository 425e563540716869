# For those who have an engine; scripts/image makes the same without one.
#
#   docker build -t REGISTRY/certpair:0.1.0 .
FROM debian:12 AS build
COPY . /src
RUN /src/scripts/image --folder /image

FROM scratch
COPY --from=build /image /
USER 65532:65532
ENTRYPOINT ["/usr/bin/certpair-controller"]
LABEL org.opencontainers.image.title="certpair" \
      org.opencontainers.image.description="Keeps the X.509 client certificates of outbound connections"
