"""Kedro-Viz shows the pipeline, and a preview of each dataset, in a real browser."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests
from factories import PROJECT
from pipeline_runs import PipelineRun
from playwright.sync_api import Page, Route, sync_playwright

pytestmark = pytest.mark.system

CHROMIUM = Path("/usr/bin/chromium")
SECONDS = 90


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("viz") / "log"


@pytest.fixture(scope="module")
def address(first_run: PipelineRun, log: Path) -> Iterator[str]:
    """Start Kedro-Viz on the first run, and return its URL."""
    port = free_port()
    folders = f"root={first_run.root},photos={first_run.photos}"
    command = [sys.executable, "-m", "kedro", "viz", "run", "--no-browser"]
    command += ["--port", str(port), "--params", folders]
    # Kedro-Viz asks PyPI for its newest version, for up to 30 seconds.
    environment = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9"}
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process, log)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)


def free_port() -> int:
    """Return a free port that Kedro-Viz accepts: ports above 49151 it does not."""
    for port in random.sample(range(20_000, 49_000), 20):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    pytest.fail("found no free port")


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if requests.get(f"{url}/api/main", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    pytest.fail(f"Kedro-Viz did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def errors() -> list[str]:
    """Return the errors on the browser's console."""
    return []


@pytest.fixture(scope="module")
def page(address: str, errors: list[str]) -> Iterator[Page]:
    """Open Kedro-Viz, and return the page."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} does not exist")

    def leave_out(route: Route) -> None:
        """Answer requests to the internet: a font of Google."""
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            route.fulfill(status=200, body="")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(20_000)
        page.route("**/*", leave_out)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda entry: errors.append(entry.text) if entry.type == "error" else None,
        )
        page.goto(address)
        page.wait_for_selector(".pipeline-node")
        yield page
        browser.close()


def show(page: Page, address: str, name: str) -> None:
    """Click a dataset in the flowchart, also where it is outside of the window."""
    nodes = requests.get(f"{address}/api/main", timeout=10).json()["nodes"]
    (node,) = (node for node in nodes if node["name"] == name)
    page.locator(f".pipeline-node[data-id='{node['id']}']").dispatch_event("click")
    page.wait_for_selector(f".pipeline-metadata__title:has-text('{name}')")


def test_every_dataset_has_a_preview(address: str) -> None:
    nodes = requests.get(f"{address}/api/main", timeout=10).json()["nodes"]
    for node in nodes:
        if node["type"] == "data":
            found = requests.get(f"{address}/api/nodes/{node['id']}", timeout=10)
            assert found.ok, node["name"]
            is_stored = found.json().get("filepath")
            assert found.json().get("preview") or not is_stored, node["name"]


@pytest.mark.parametrize("name", ["photo_store", "photos", "images", "class_sheet"])
def test_photos_are_shown(page: Page, address: str, name: str) -> None:
    show(page, address, name)
    picture = page.locator("img.pipeline-metadata__plot-image")
    picture.wait_for()
    assert (
        picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 500
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("features", "1,336 values"),
        ("reduced", "Training/Apple Red 1"),
        ("moments", "comoment"),
        ("run_summary", "explained variance"),
        ("label_counts", "Apple Red 1"),
        ("rejects", "torn.jpg"),
        ("forgotten", "erased photos"),
    ],
)
def test_rows_are_shown(page: Page, address: str, name: str, text: str) -> None:
    show(page, address, name)
    page.locator(".pipeline-metadata__preview .preview-table").wait_for()
    shown = page.locator(".pipeline-metadata__preview").inner_text()
    assert text in shown.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("name", "text"), [("backbone", "MobileNetV2"), ("pca", "explained_variance")]
)
def test_objects_are_shown(page: Page, address: str, name: str, text: str) -> None:
    show(page, address, name)
    page.locator(f".pipeline-metadata__preview-json:has-text('{text}')").wait_for()


@pytest.mark.parametrize("name", ["variance_curve", "photo_map"])
def test_figures_are_drawn(page: Page, address: str, name: str) -> None:
    show(page, address, name)
    figure = page.locator(".pipeline-plotly__preview .gtitle")
    figure.wait_for()
    assert "of the variance" in (figure.text_content() or "")


@pytest.mark.usefixtures("page")
def test_neither_browser_nor_server_reports_an_error(
    errors: list[str], log: Path
) -> None:
    assert errors == []
    lines = log.read_text()
    assert "WARNING" not in lines
    assert "ERROR" not in lines
    assert "Traceback" not in lines
