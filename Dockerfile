# An image with imglint in it, for CI systems that run containers:  docker build -t imglint .
#
# Both bases are pinned by digest, of an index of several architectures. To renew one, take the digest that
# `docker buildx imagetools inspect alpine:3.23` prints.
FROM rust:1.96.0-alpine3.23@sha256:66f48b19d6e88519e2e58bebe0d945779a6a4ca41c2db17db78c9569655b50ac AS build
# The repository of a release of Alpine keeps the newest build of a package alone: a version that is pinned cannot be had next
# month.
# hadolint ignore=DL3018
RUN apk add --no-cache gcc musl-dev
WORKDIR /src
COPY . .
# Rust's musl target links statically.
RUN cargo build --locked --release --config 'profile.release.strip="symbols"'

FROM alpine:3.23.4@sha256:5b10f432ef3da1b8d4c7eb6c487f2f5a8f096bc91145e68878dd4a5019afde11
# imglint itself needs no git. It asks git for what a partial clone (Prow's `blobless_fetch`) lacks, and for the filters of
# files such as git-lfs. The CI system made the clone, whoever owns it: there is no other user here whom git could protect from.
# hadolint ignore=DL3018
RUN apk add --no-cache git && git config --system --add safe.directory '*'
COPY --from=build /src/target/release/imglint /usr/local/bin/imglint
USER 65532:65532
ENTRYPOINT ["imglint"]
