import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest
from page_results import HOSTILE_LABELS, make_results

from fruits_pipeline.reporting.page.page import render_page
from fruits_pipeline.reporting.page.results import FILES, PICTURES, TABLES


class Elements(HTMLParser):
    """Collects tags, and the text outside of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.urls: list[str] = []
        self.text = ""
        self.open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.urls += [v or "" for k, v in attrs if k in ("src", "href")]
        self.open = tag

    def handle_data(self, data: str) -> None:
        if self.open not in ("script", "style"):
            self.text += f" {' '.join(data.split())}" if data.strip() else ""


def test_text_from_photos_is_escaped() -> None:
    page = Elements(render_page(make_results()))
    assert page.tags.count("script") == 4  # figures, atlas, Plotly and page.js
    assert all(label in page.text for label in HOSTILE_LABELS)
    assert "/data/my <root>" in page.text


def test_page_contains_no_url_outside_of_itself() -> None:
    page = Elements(render_page(make_results()))
    assert page.urls
    assert all(url.startswith(("#", "data:")) for url in page.urls)


def test_summary_says_what_came_in_and_what_looks_wrong() -> None:
    text = Elements(render_page(make_results())).text
    assert "contains 39 files; left out, because they are not photos: 2 × .<md>" in text
    assert "23 of 111 photos in Test have a near duplicate in training" in text
    assert "1 photo rejected" in text
    assert "1 min 15 s" in text


def test_last_run_with_photos_is_shown_after_a_run_without() -> None:
    summary = make_results()["run_summary"]
    idle = summary | {"photos_per_second": 0.0, "seconds": {"report": 1.0}}
    changed = idle | {"last_run_with_new_photos": summary}
    text = Elements(render_page(make_results(run_summary=changed))).text
    assert "The last run with new photos took 1 min 18 s: 12 photos per second" in text
    text = Elements(render_page(make_results(run_summary=idle))).text
    assert "This run found nothing new. It took 1.0 s." in text


@pytest.mark.parametrize("name", [*TABLES, *FILES, *PICTURES])
def test_missing_result_does_not_prevent_the_page(name: str) -> None:
    assert "Photo atlas" in render_page(make_results(**{name: None}))


@pytest.mark.parametrize("name", [*TABLES, *FILES])
def test_result_of_an_older_version_counts_as_missing(name: str) -> None:
    older = pd.DataFrame({"path": ["a"]}) if name in TABLES else {"other": 1}
    assert "Photo atlas" in render_page(make_results(**{name: older}))


def test_empty_root_has_a_sentence_in_each_section() -> None:
    nothing = dict.fromkeys((*TABLES, *FILES, *PICTURES))
    page = Elements(render_page(make_results(**nothing)))
    assert page.tags.count("section") == 12
    assert "There is no complete run yet" in page.text
    assert "trains one" in page.text
    assert "canvas" not in page.tags


def test_sections_without_comparison_say_so() -> None:
    skipped = make_results()["exploration"] | {"explored": False}
    text = Elements(render_page(make_results(exploration=skipped))).text
    assert text.count("report.explore=true compares them") == 4


@pytest.mark.parametrize("labels", [[None], ["Fig"], [f"{i}" for i in range(130)]])
def test_any_number_of_labels_is_possible(labels: list[str | None]) -> None:
    page = render_page(make_results(labels, 1))
    (figures,) = re.findall(r'id="figures">(.*?)</script>', page)
    confusion = json.loads(figures).get("confusion-figure")
    if len(labels) > 1:
        assert len(confusion["data"][0]["z"]) == 30
    else:
        assert confusion is None


def test_the_same_results_give_the_same_page() -> None:
    assert render_page(make_results()) == render_page(make_results())


def test_photos_of_the_calibration_are_not_called_unused() -> None:
    evaluation = make_results()["evaluation"] | {"calibration_photos": 60}
    text = Elements(render_page(make_results(evaluation=evaluation))).text
    assert "60 photos of these also determined the probabilities" in text
    assert "also determined" not in Elements(render_page(make_results())).text


def test_classifier_of_an_earlier_pca_is_marked() -> None:
    outdated = replace(make_results(), outdated=True)
    text = Elements(render_page(outdated)).text
    assert text.count("The classifier is older than the vectors") == 2


def test_path_with_a_lone_surrogate_is_written() -> None:
    summary = make_results()["run_summary"] | {"left_out": {".\udcff": 1}}
    render_page(make_results(run_summary=summary)).encode()
