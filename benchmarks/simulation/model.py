"""The model: time, cost, requests and memory of a run, from unit costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from benchmarks.simulation import calibration
from benchmarks.simulation.calibration import Linear
from benchmarks.simulation.events import Work, Workers, execute
from fruits_pipeline.costs.prices import Prices, load_prices
from fruits_pipeline.io.request_counts import Requests

FOLDER = Path(__file__).parent


class Forecast(NamedTuple):
    """What a run takes.

    Attributes:
        seconds: Duration of the run, without the start of machines.
        usd: Price of machines and requests, without storage.
        reads: GET and HEAD requests.
        writes: PUT and LIST requests.
        driver_mib: Peak memory of the driver.
        parts: Seconds of each part of the work, which may overlap.
        lost_tasks: Tasks that were executed again after an interruption.
    """

    seconds: float
    usd: float
    reads: int
    writes: int
    driver_mib: float
    parts: Mapping[str, float]
    lost_tasks: int


@dataclass(frozen=True)
class Model:
    """Unit costs.

    Attributes:
        units: Content of `units.yml`.
        measurements: Content of `measurements.json`.
        prices: List prices.
    """

    units: Mapping[str, Any]
    measurements: Mapping[str, Any]
    prices: Prices

    @classmethod
    def load(cls) -> Model:
        """Return the model of the stored units, measurements and prices."""
        units = yaml.safe_load((FOLDER / "units.yml").read_text())
        return cls(units, calibration.load(), load_prices())

    @cached_property
    def cpu(self) -> Linear:
        """Core seconds of a first run."""
        return calibration.fit_runs(self.measurements["calibration"]["runs"], "cpu_s")

    @cached_property
    def again(self) -> Linear:
        """Core seconds of a run with nothing new."""
        runs = self.measurements["calibration"]["runs"]
        return calibration.fit_runs(runs, "again_cpu_s")

    def log(self, figure: str) -> Linear:
        """Return the cost of the log of a table by data file."""
        return calibration.fit_logs(self.measurements["calibration"]["logs"], figure)

    def batches(self, photos: float) -> int:
        """Return the number of batches of a first load."""
        return math.ceil(photos / self.units["pipeline"]["photos_per_batch"])

    def files(self, photos: float) -> float:
        """Return the number of data files of a table."""
        pipeline = self.units["pipeline"]
        return photos / pipeline["photos_per_part"]

    def list_s(self, photos: float) -> float:
        """Return the seconds to list the photos, page after page."""
        s3 = self.units["s3"]
        return math.ceil(photos / s3["keys_per_list"]) * float(s3["request_s"])

    def commit_s(self, batches: float, files_before: float) -> float:
        """Return the seconds of all commits, some of which write a checkpoint.

        Args:
            batches: Number of batches to commit in each table.
            files_before: Data files of each table before.
        """
        units, tables = self.units["pipeline"], self.units["pipeline"]["tables"]
        requests = units["log_writes_per_batch"] + units["log_reads_per_batch"]
        s3_s = requests * self.units["s3"]["request_s"]
        per_batch = units["photos_per_batch"] / units["photos_per_part"]
        mean_files = files_before + batches * per_batch / 2
        interval = mean_files / units["files_per_commit"]
        interval = min(max(interval, units["min_commits"]), units["max_commits"])
        checkpoint_s = self.log("checkpoint_s").photo * mean_files / interval
        fixed = s3_s + float(self.measurements["commit_s"])
        return float(tables * batches * (fixed + checkpoint_s))

    def tasks(self, photos: float, workers: Workers) -> Work:
        """Return how the parts are executed; a task waits for requests or computes."""
        pipeline, s3 = self.units["pipeline"], self.units["s3"]
        size = min(pipeline["photos_per_part"], photos)
        waiting = size * s3["request_s"] / pipeline["requests_in_flight"]
        batch_share = self.cpu.batch * size / pipeline["photos_per_batch"]
        task_s = size * self.cpu.photo + batch_share + waiting
        return execute(math.ceil(photos / size), task_s, workers)

    def driver_mib(self, photos: float, machine: Mapping[str, Any]) -> float:
        """Return the peak memory on the machine of the driver."""
        pipeline = self.units["pipeline"]
        descriptions = self.files(photos) * pipeline["tables"]
        growing = descriptions * pipeline["driver_bytes_per_file"]
        return float(machine["other_mib"]) + growing / 2**20

    def first_load(self, photos: int, machine: str) -> Forecast:
        """Return what the first run takes."""
        return self._run(photos, 0, machine)

    def daily(self, photos: int, machine: str) -> Forecast:
        """Return what the run of a day takes, when there are `photos`."""
        return self._run(math.ceil(photos * self.units["daily_share"]), photos, machine)

    def _run(self, new: int, stored: int, name: str) -> Forecast:
        machine, total = self.units["machines"][name], new + stored
        work = self.tasks(new, self._workers(machine))
        batches, stored_files = self.batches(new), self.files(stored)
        slots = machine["cores"] * machine["workers"]
        parts = {
            "start": self.cpu.start / machine["cores"],
            "list": self.list_s(total),
            "open": self.log("read_s").photo
            * stored_files
            * self.units["pipeline"]["tables"],
            "compare": self.again.photo * stored / machine["cores"],
            "compute": max(work.seconds, self._fetch_limit_s(new)),
            "commit": self.commit_s(batches, stored_files),
            "PCA": batches * self.units["pipeline"]["moments_s_per_batch"],
        }
        one_by_one = sum(parts[n] for n in ("start", "list", "open", "compare", "PCA"))
        # The driver commits batches while workers compute others.
        seconds = one_by_one + max(parts["compute"], parts["commit"])
        reads, writes = self._requests(new, total, batches)
        hours = (
            work.worker_hours
            + (seconds - work.seconds) * slots / 3600 / machine["cores"]
        )
        usd = self._usd(machine, hours, reads, writes)
        memory = self.driver_mib(total, machine)
        return Forecast(seconds, usd, reads, writes, memory, parts, work.lost_tasks)

    def _workers(self, machine: Mapping[str, Any]) -> Workers:
        spot = self.units["spot"] if machine.get("spot") else {}
        rate = spot.get("interruptions_per_hour", 0.0)
        wait = spot.get("replacement_s", 0.0)
        return Workers(machine["workers"], machine["cores"], rate, wait)

    def _fetch_limit_s(self, photos: int) -> float:
        return photos / float(self.units["s3"]["gets_per_second_and_prefix"])

    def _requests(self, new: int, total: int, batches: int) -> tuple[int, int]:
        pipeline, s3 = self.units["pipeline"], self.units["s3"]
        pages = math.ceil(total / s3["keys_per_list"])
        files = math.ceil(self.files(new))
        commits = batches * pipeline["tables"]
        writes = (
            pages
            + commits * pipeline["log_writes_per_batch"]
            + files * pipeline["tables"]
        )
        reads = (
            new + commits * pipeline["log_reads_per_batch"] + files * pipeline["tables"]
        )
        return reads, writes

    def _usd(
        self, machine: Mapping[str, Any], hours: float, reads: int, writes: int
    ) -> float:
        instance = machine["instance"]
        server = self.prices.server(instance, hours)
        server += self.prices.extra_cpu(instance, hours)
        share = self.units["spot"]["price_share"] if machine.get("spot") else 1.0
        return float(server * share + self.prices.requests(Requests(writes, reads)))
