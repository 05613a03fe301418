# distill with Julia and PySR ready, so that engine=pysr needs no download at run time.
# Build:  docker build -t distill .
# Run:    docker run --rm -v "$PWD:/study" distill run teacher=wet_bulb
FROM julia:1.11.7-bookworm AS julia

FROM python:3.11.13-slim-bookworm
COPY --from=julia /usr/local/julia /usr/local/julia
ENV PATH="/opt/distill/bin:/usr/local/julia/bin:${PATH}" \
    PYTHON_JULIAPKG_EXE=/usr/local/julia/bin/julia \
    PYTHON_JULIAPKG_PROJECT=/opt/julia-project \
    JULIA_DEPOT_PATH=/opt/julia-depot \
    PIP_NO_CACHE_DIR=1

# A CPU build of torch keeps the image small: --build-arg TORCH=<wheel of the CPU build>.
ARG TORCH=torch==2.13.0
WORKDIR /opt/source
COPY requirements.lock ./
# The lock file pins all but PySR, which both supported major versions may serve.
# hadolint ignore=DL3013
RUN python -m venv /opt/distill \
 && pip install "${TORCH}" \
 && pip install --no-deps -r requirements.lock \
 && pip install "pysr>=1.5,<3" \
 && python -c "import pysr"
COPY . .
RUN pip install --no-deps . \
 && useradd --create-home --uid 1000 engineer \
 && chmod -R a+rwX /opt/julia-depot /opt/julia-project

USER 1000
WORKDIR /study
ENTRYPOINT ["distill"]
CMD ["--help"]
