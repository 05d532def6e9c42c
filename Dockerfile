# One image for both processes: web and worker differ only in their command.
FROM python:3.12-slim-bookworm

RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap fontconfig \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --home-dir /var/lib/grader grader

WORKDIR /srv/grader
COPY pyproject.toml constraints.txt README.md ./
COPY grader ./grader
# An index with CPU builds of torch makes the image 2 GB smaller: --build-arg PIP_EXTRA_INDEX_URL=…
ARG PIP_EXTRA_INDEX_URL=""
RUN pip install --no-cache-dir -c constraints.txt ".[kernel]"
COPY rubrics ./rubrics
COPY reference ./reference

ENV GRADER_HOME=/var/lib/grader/home GRADER_CONTENT=/srv/grader GRADER_HOST=0.0.0.0
USER grader
RUN mkdir -m 700 /var/lib/grader/home
VOLUME /var/lib/grader/home
EXPOSE 8000
CMD ["grader", "serve"]
