"""Shapes of the tensors of LiteRT models."""

from fruits_pipeline.models.fixed_shapes import tensors


def variable_shapes(model: bytes) -> list[list[int]]:
    """Return the signatures of shapes with a dimension of variable size."""
    found = [*tensors(model)]
    assert found
    signatures = (t.ShapeSignatureAsNumpy() for t in found if t.ShapeSignatureLength())
    return [[*map(int, signature)] for signature in signatures if min(signature) < 0]
