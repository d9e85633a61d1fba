import io
import zipfile
from dataclasses import dataclass

import numpy as np
import pytest
from factories import BACKBONE

from fruits_pipeline.datasets import BackboneFolder
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.classifiers import Classifier
from fruits_pipeline.models.moments import moments_of
from fruits_pipeline.models.pca import Pca
from fruits_pipeline.models.pca import fit as fit_pca
from fruits_pipeline.models.phone_models import PhoneCard, PhoneModel, fuse

LABELS = ("Apple Red 1", "Kiwi", "Fruit d'été")


@dataclass(frozen=True)
class Chain:
    photos: np.ndarray
    backbone: Backbone
    pca: Pca
    classifier: Classifier
    model: PhoneModel

    @property
    def probabilities(self) -> np.ndarray:
        """Of the chain itself, step by step."""
        features = np.array([*self.backbone.embed(self.photos)])
        return self.classifier.probabilities(self.pca.transform(features))


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "standardised"])
def chain(request: pytest.FixtureRequest) -> Chain:
    backbone = BackboneFolder(filepath=str(BACKBONE)).load()
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
    return Chain(photos, backbone, pca, classifier, model)


def test_one_file_gives_the_probabilities_of_the_chain(chain: Chain) -> None:
    expected = chain.probabilities
    assert len({*expected.argmax(axis=1)}) > 1  # they differ
    found = chain.model.probabilities(chain.photos)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_backbone_is_still_what_it_was(chain: Chain) -> None:
    again = BackboneFolder(filepath=str(BACKBONE)).load()
    assert again.model == chain.backbone.model
    assert len(chain.model.content) < len(again.model) + 50_000


def test_labels_and_card_are_inside(chain: Chain) -> None:
    assert chain.model.labels == LABELS
    assert chain.model.card.threshold == 0.5
    with zipfile.ZipFile(io.BytesIO(chain.model.content)) as inside:
        assert inside.namelist() == ["labels.txt", "card.json"]
        assert inside.testzip() is None


def test_a_phone_finds_the_probabilities_by_their_signature(chain: Chain) -> None:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=chain.model.content).get_signature_runner()
    (output,) = runner.get_output_details().values()
    assert [*output["shape"]] == [1, len(LABELS)]
    (given,) = runner.get_input_details()
    (found,) = runner(**{given: chain.photos[:1]}).values()
    np.testing.assert_allclose(found, chain.probabilities[:1], atol=1e-4)


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"no model with labels\.txt and card\.json"):
        PhoneModel(content)
