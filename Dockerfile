# One image for both processes: web and worker differ only in their command.
FROM python:3.12-slim-bookworm

# libseccomp2 is what compiles the jails' system call filter.
RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap fontconfig libseccomp2 \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /srv/grader
COPY pyproject.toml constraints.txt README.md ./
COPY grader ./grader
# An index with CPU builds of torch makes the image 2 GB smaller: --build-arg PIP_EXTRA_INDEX_URL=…
ARG PIP_EXTRA_INDEX_URL=""
# pip compiles what it installs. The base image brings its library uncompiled, and no jail can write;
# nor does each look for fonts.
RUN pip install --no-cache-dir -c constraints.txt ".[kernel]" \
    && python -m compileall -q -x 'site-packages|test|lib2to3' /usr/local/lib/python3.12 \
    && MPLCONFIGDIR=/usr/local/share/grader/matplotlib python -c 'import matplotlib.font_manager'
COPY rubrics ./rubrics
COPY reference ./reference

# All of the image is root's; this user may write to the volume and to /tmp.
RUN useradd --uid 10001 --no-create-home --home-dir /tmp grader \
    && install -d -m 700 -o grader -g grader /var/lib/grader/home
ENV GRADER_HOME=/var/lib/grader/home GRADER_CONTENT=/srv/grader GRADER_HOST=0.0.0.0
USER 10001:10001
VOLUME /var/lib/grader/home
EXPOSE 8000
CMD ["grader", "serve"]
