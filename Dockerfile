# Two stages: one builds the binary, the other runs it and nothing else, without root.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY migration migration
COPY search-config search-config
COPY server server
# The tests are a member of the workspace but no part of the image.
COPY tests/Cargo.toml tests/Cargo.toml
RUN mkdir -p tests/src && echo > tests/src/lib.rs && echo 'fn main() {}' > tests/praxis.rs
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --package praxis-server \
    && cp target/release/praxis /praxis

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin praxis \
    && install -d -o praxis -g praxis -m 0700 /data
COPY --from=build /praxis /usr/local/bin/praxis
USER praxis
VOLUME /data
ENV PRAXIS_BIND=0.0.0.0:8080 PRAXIS_DATA_DIR=/data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["praxis"]
CMD ["serve"]
