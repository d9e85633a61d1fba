import io
import json
import zipfile
from dataclasses import dataclass, replace

import numpy as np
import pytest
from factories import BACKBONE
from litert_shapes import variable_shapes

from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.classifiers import Classifier
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import Pca
from fruits_pipeline.models.pca import fit as fit_pca
from fruits_pipeline.models.phone_models import (
    PhoneCard,
    PhoneModel,
    fuse,
    with_fixed_shapes,
)

LABELS = ("Apple Red 1", "Kiwi", "Fruit d'été")


@dataclass(frozen=True)
class FusedModel:
    """A phone model, its parts, and photos."""

    photos: np.ndarray
    backbone: Backbone
    pca: Pca
    classifier: Classifier
    model: PhoneModel

    @property
    def expected(self) -> np.ndarray:
        """Probabilities from the separate parts."""
        features = np.array([*self.backbone.embed(self.photos)])
        return self.classifier.probabilities(self.pca.transform(features))


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "standardised"])
def fused(request: pytest.FixtureRequest, backbone: Backbone) -> FusedModel:
    rng = np.random.default_rng(0)
    size = backbone.card.input_size
    shades = rng.integers(0, 256, (24, 4, 4, 3), np.uint8)
    photos = shades.repeat(size // 4, axis=1).repeat(size // 4, axis=2)
    features = np.array([*backbone.embed(photos)])
    pca = fit_pca(moments_of(features), 0.95, request.param, None)
    spread = pca.transform(features).std()
    weights = rng.normal(size=(len(pca.components), len(LABELS))) / spread
    classifier = Classifier(LABELS, weights, rng.normal(size=len(LABELS)), 0.5)
    card = PhoneCard(
        input_size=size,
        fit="pad",
        short_side=256,
        threshold=0.5,
        backbone=backbone.card.sha256,
        pca=pca.digest,
    )
    model = fuse(backbone.model, pca, classifier, card)
    return FusedModel(photos, backbone, pca, classifier, model)


def test_probabilities_equal_those_of_the_separate_parts(fused: FusedModel) -> None:
    assert len({*fused.expected.argmax(axis=1)}) > 1
    found = fused.model.probabilities(fused.photos)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, fused.expected, atol=1e-4)


def test_backbone_is_not_modified(fused: FusedModel) -> None:
    stored = BackboneFolder(filepath=str(BACKBONE)).load()
    assert stored.model == fused.backbone.model
    assert len(fused.model.content) < len(stored.model) + 50_000


def test_file_contains_labels_and_card(fused: FusedModel) -> None:
    assert fused.model.labels == LABELS
    assert fused.model.card.threshold == 0.5
    with zipfile.ZipFile(io.BytesIO(fused.model.content)) as archive:
        assert archive.namelist() == ["labels.txt", "card.json"]
        assert archive.testzip() is None
        assert {member.date_time[0] for member in archive.infolist()} == {1980}


def test_shapes_are_fixed(fused: FusedModel) -> None:
    assert not variable_shapes(fused.model.content)


def test_model_of_an_older_version_gets_fixed_shapes(fused: FusedModel) -> None:
    card = fused.model.card.model_copy(update={"model_sha256": None})
    content = io.BytesIO(fused.backbone.model)  # its shapes are variable
    content.seek(0, io.SEEK_END)
    width = fused.backbone.card.width
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("labels.txt", "".join(f"{i}\n" for i in range(width)))
        archive.writestr("card.json", card.model_dump_json(exclude_none=True))
    older = PhoneModel(content.getvalue())
    assert variable_shapes(older.content)
    fixed = with_fixed_shapes(older)
    assert not variable_shapes(fixed.content)
    assert fixed.labels == older.labels
    np.testing.assert_array_equal(
        fixed.probabilities(fused.photos[:2]), older.probabilities(fused.photos[:2])
    )


def test_signature_returns_probabilities(fused: FusedModel) -> None:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=fused.model.content).get_signature_runner()
    (output,) = runner.get_output_details().values()
    assert [*output["shape"]] == [1, len(LABELS)]
    (input_name,) = runner.get_input_details()
    (found,) = runner(**{input_name: fused.photos[:1]}).values()
    np.testing.assert_allclose(found, fused.expected[:1], atol=1e-4)


def with_labels(fused: FusedModel, labels: tuple[str, ...]) -> PhoneModel:
    """Return the phone model with other labels."""
    classifier = replace(fused.classifier, labels=labels)
    return fuse(fused.backbone.model, fused.pca, classifier, fused.model.card)


def text_of(model: PhoneModel, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(model.content)) as archive:
        return archive.read(name).decode()


@pytest.mark.parametrize("character", "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
def test_line_separator_in_a_label_keeps_its_position(
    fused: FusedModel, character: str
) -> None:
    labels = (f"a{character}", f"{character}b{character}c", " d ")
    model = with_labels(fused, labels)
    assert model.labels == labels
    assert text_of(model, "labels.txt").split("\n") == [*labels, ""]
    assert model.card == fused.model.card


@pytest.mark.parametrize(
    "labels", [("a\nb", "c", "a b"), ("\n", "\r\n", "x\r"), ("\n\n", "", "\r")]
)
def test_line_break_in_a_label_is_kept_in_the_card(
    fused: FusedModel, labels: tuple[str, ...]
) -> None:
    model = with_labels(fused, labels)
    assert model.labels == labels
    assert PhoneModel(model.content).labels == labels
    lines = text_of(model, "labels.txt").splitlines()
    assert len(lines) == len(labels)


def test_ordinary_card_has_no_labels(fused: FusedModel) -> None:
    assert '"labels"' not in text_of(fused.model, "card.json")


def test_wrong_number_of_labels_is_rejected(fused: FusedModel) -> None:
    with zipfile.ZipFile(io.BytesIO(fused.model.content)) as archive:
        start = min(entry.header_offset for entry in archive.infolist())
    content = io.BytesIO(fused.model.content[:start])
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("labels.txt", "a\nb\n")
        archive.writestr("card.json", text_of(fused.model, "card.json"))
    with pytest.raises(ValueError, match=r"3 labels with 2 in labels\.txt"):
        PhoneModel(content.getvalue())


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\x05\x06" + bytes(18)])
def test_file_without_labels_or_card_is_rejected(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no model with labels\.txt and card\.json"):
        PhoneModel(content)


def test_file_of_a_newer_version_is_rejected(fused: FusedModel) -> None:
    content = io.BytesIO(fused.backbone.model)
    content.seek(0, io.SEEK_END)
    card = json.loads(text_of(fused.model, "card.json"))
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("labels.txt", text_of(fused.model, "labels.txt"))
        newer = card | {"schema_version": 99, "new": True}
        archive.writestr("card.json", json.dumps(newer))
    with pytest.raises(ValueError, match="schema version 99, which a newer version"):
        PhoneModel(content.getvalue())
