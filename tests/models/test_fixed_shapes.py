import numpy as np
from litert_shapes import variable_shapes

from fruits_pipeline.models import litert
from fruits_pipeline.models.backbones import Backbone
from fruits_pipeline.models.fixed_shapes import fix_shapes, tensors


def test_only_signatures_change(backbone: Backbone) -> None:
    fixed = fix_shapes(backbone.model)
    assert not variable_shapes(fixed)
    assert len(fixed) == len(backbone.model)
    shapes = [[*t.ShapeAsNumpy()] for t in tensors(fixed) if t.ShapeLength()]
    assert shapes == [
        [*t.ShapeAsNumpy()] for t in tensors(backbone.model) if t.ShapeLength()
    ]
    assert [1, 128, 128, 3] in shapes


def test_features_do_not_change(backbone: Backbone) -> None:
    photos = np.random.default_rng(0).integers(0, 256, (3, 128, 128, 3), np.uint8)
    expected = np.array([*backbone.embed(photos)])
    found = np.array([*litert.run(fix_shapes(backbone.model), photos)])
    np.testing.assert_array_equal(found, expected)


def test_fixed_model_is_returned_unchanged(backbone: Backbone) -> None:
    fixed = fix_shapes(backbone.model)
    assert fix_shapes(fixed) == fixed
