"""The simulation of large collections, and its agreement with measurements."""

import re

import pytest

from benchmarks.simulation import calibration
from benchmarks.simulation.calibration import Linear, fit
from benchmarks.simulation.events import Workers, execute
from benchmarks.simulation.limits import find_limits
from benchmarks.simulation.model import Model
from benchmarks.simulation.page import FIGURE, PAGE, SIZES, duration, tables

MEASUREMENTS = calibration.load()
ERRORS = calibration.errors(MEASUREMENTS)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.load()


@pytest.mark.parametrize(("figure", "size", "error"), ERRORS)
def test_model_agrees_with_measurements(figure: str, size: int, error: float) -> None:
    assert abs(error) < 0.2


def test_validation_uses_other_runs_than_calibration() -> None:
    runs = {
        purpose: {
            (run["photos"], run["photos_per_batch"])
            for run in MEASUREMENTS[purpose]["runs"]
        }
        for purpose in ("calibration", "validation")
    }
    assert not runs["calibration"] & runs["validation"]
    assert len({size for found in runs.values() for size, _ in found}) >= 4


def test_costs_are_found() -> None:
    costs = Linear(3.0, 0.001, 0.5)
    rows = [(1000.0, 1.0), (4000.0, 1.0), (16_000.0, 4.0), (4000.0, 8.0)]
    found = fit(rows, [costs.predict(*row) for row in rows])
    assert found == pytest.approx(costs)


@pytest.mark.parametrize(
    ("tasks", "workers", "seconds"),
    [(8, Workers(2, 2), 20), (9, Workers(2, 2), 30), (1, Workers(4, 8), 10)],
)
def test_tasks_are_executed_in_waves(
    tasks: int, workers: Workers, seconds: float
) -> None:
    work = execute(tasks, 10, workers)
    assert work.seconds == seconds
    assert (work.lost_tasks, work.interruptions) == (0, 0)
    assert work.worker_hours == pytest.approx(seconds * workers.count / 3600)


def test_interrupted_tasks_are_executed_again() -> None:
    calm, spot = (
        Workers(4, 2),
        Workers(4, 2, interruptions_per_hour=2, replacement_s=60),
    )
    expected, found = execute(4000, 10, calm), execute(4000, 10, spot)
    rare = Workers(4, 2, interruptions_per_hour=1e-9, replacement_s=60)
    assert execute(4000, 10, rare) == pytest.approx(expected)
    assert found.interruptions > 0
    assert 0 < found.lost_tasks <= 2 * found.interruptions
    assert found.seconds > expected.seconds
    # Lost: half of a wave and the replacement, for each interruption.
    per_interruption = 60 + 10 / 2
    delay = found.interruptions * per_interruption / calm.count
    assert found.seconds == pytest.approx(expected.seconds + delay, rel=0.05)


def test_larger_collections_take_longer_and_cost_more(model: Model) -> None:
    for name in model.units["machines"]:
        for forecast in (model.first_load, model.daily):
            found = [forecast(photos, name) for photos in SIZES]
            for figure in ("seconds", "usd", "reads", "writes", "driver_mib"):
                values = [getattr(f, figure) for f in found]
                assert values == sorted(values), (name, figure)


def test_cluster_is_faster_and_spot_is_cheaper(model: Model) -> None:
    one, many, spot = (
        model.first_load(10**9, name) for name in model.units["machines"]
    )
    assert many.seconds < one.seconds
    assert spot.usd < many.usd
    assert spot.seconds >= many.seconds
    assert spot.lost_tasks > 0


def test_limits_are_exceeded_from_the_stated_number(model: Model) -> None:
    limits = find_limits(model)
    assert [limit.photos for limit in limits if limit.photos] == sorted(
        limit.photos for limit in limits if limit.photos
    )
    memory = next(limit for limit in limits if "one server (" in limit.name)
    machine = model.units["machines"]["one server"]
    assert memory.photos is not None
    assert model.driver_mib(memory.photos, machine) > machine["driver_mib"]
    assert (
        model.driver_mib(round(memory.photos / 1.06), machine) < machine["driver_mib"]
    )


def test_published_page_is_computed_from_the_stored_measurements(model: Model) -> None:
    assert tables(model) in PAGE.read_text()
    assert f"({FIGURE.name})" in PAGE.read_text()
    assert re.match(r"<\?xml", FIGURE.read_text())


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (600, "10 min"), (9000, "2 h"), (864_000, "10 d")]
)
def test_durations_have_suitable_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text
