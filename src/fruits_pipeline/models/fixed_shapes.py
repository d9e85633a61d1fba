"""Fix the shapes of the tensors of LiteRT models."""

from __future__ import annotations

from collections.abc import Iterator

from ai_edge_litert import schema_py_generated as schema


def fix_shapes(model: bytes) -> bytes:
    """Return a model whose tensors have fixed shapes, such as batches of one photo.

    Converters state -1 for a dimension of variable size in the signature of a shape, and
    its actual size in the shape. LiteRT.js accepts only models in which both are equal.

    Args:
        model: Content of a LiteRT file.
    """
    fixed = bytearray(model)  # of bytes, NumPy returns vectors that are read-only
    for tensor in tensors(fixed):
        if not tensor.ShapeSignatureIsNone():
            tensor.ShapeSignatureAsNumpy()[:] = tensor.ShapeAsNumpy()
    return bytes(fixed)


def tensors(model: bytes | bytearray) -> Iterator[schema.Tensor]:
    """Yield the tensors of a LiteRT file."""
    parsed = schema.Model.GetRootAs(model)
    for graph in map(parsed.Subgraphs, range(parsed.SubgraphsLength())):
        yield from map(graph.Tensors, range(graph.TensorsLength()))
