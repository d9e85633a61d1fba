import os
import subprocess
import sys
from pathlib import Path

from factories import PROJECT, write_files

PRINT_PATHS = (
    "import os, fruits_pipeline, pyspark;"
    "print(pyspark.__version__, os.environ['PYTHONPATH'])"
)


def test_other_spark_in_pythonpath_is_ignored(tmp_path: Path) -> None:
    content = b"raise SyntaxError('Spark 2')"
    files = {"python/pyspark/__init__.py": content, "lib/py4j-0.10.7-src.zip": b""}
    spark = write_files(tmp_path / "a spark", files)
    own = [f"{PROJECT}/src", str(tmp_path)]
    paths = [f"{spark}/python", f"{spark}/lib/py4j-0.10.7-src.zip", *own]
    done = subprocess.run(
        [sys.executable, "-c", PRINT_PATHS],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["4.3.0", os.pathsep.join(own)], done.stderr
