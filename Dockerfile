# distill with PySR and Julia compiled and ready: engine=pysr needs no network at run time.
# Build:  docker build -t distill .        (the older PySR: --build-arg PYSR=1.5.10)
# Run:    docker run --rm -v "$PWD:/study" distill run engine=pysr
FROM julia:1.11.7-bookworm AS julia

FROM python:3.11.13-slim-bookworm
COPY --from=julia /usr/local/julia /usr/local/julia
# Julia's own builds for x86-64 are for these processors, so that an image serves more machines than
# the one it was built on. For ARM: --build-arg CPU=generic.
ARG CPU="generic;sandybridge,-xsaveopt,clone_all;haswell,-rdrnd,base(1)"
ENV PATH="/opt/distill/bin:/usr/local/julia/bin:${PATH}" \
    PYTHON_JULIAPKG_EXE=/usr/local/julia/bin/julia \
    PYTHON_JULIAPKG_PROJECT=/opt/julia-project \
    JULIA_DEPOT_PATH=/opt/julia-depot \
    JULIA_CPU_TARGET="${CPU}" \
    PIP_NO_CACHE_DIR=1

# A CPU build of torch keeps the image small: --build-arg TORCH="--index-url <PyTorch's CPU index>".
ARG TORCH=""
ARG PYSR=2.7.2
WORKDIR /opt/source
COPY requirements.lock ./
COPY locks ./locks
# The locks pin all, with hashes, for the newer PySR; pip then changes what the older one needs
# otherwise, and adds the libraries of a CUDA build of torch.
# hadolint ignore=DL3013,SC2086
RUN python -m venv /opt/distill \
 && pip install --require-hashes --no-deps -r locks/build.txt \
 && pip install --require-hashes --no-deps --no-build-isolation -r requirements.lock \
 && pip download --no-deps --dest torch ${TORCH} "$(grep -o '^torch==[^ ]*' locks/torch.txt)" \
 && pip install --require-hashes --no-deps --no-index --find-links torch -r locks/torch.txt \
 && rm -r torch \
 && pip install torch "pysr==${PYSR}"
# Julia's packages, in one layer with the permissions that every user needs to start them.
RUN python -c "import pysr" \
 && chmod -R a+rwX /opt/julia-depot /opt/julia-project
COPY . .
RUN pip install --no-deps --no-build-isolation . \
 && useradd --create-home --uid 1000 engineer

USER 1000
ENV PYTHON_JULIAPKG_OFFLINE=yes
# A small study without a network: what it still compiles is kept, and a broken image is not built.
WORKDIR /tmp
RUN --network=none distill run engine=pysr engine.evaluations=1000 engine.rounds=1 tolerance=100 \
    target=host score=quick export.verify_points=1000 tracking=off \
 && rm -rf build studies

WORKDIR /study
ENTRYPOINT ["distill"]
CMD ["--help"]
