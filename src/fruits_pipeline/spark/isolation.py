"""Parts whose photos are processed in child processes; see `imaging.isolation`."""

from __future__ import annotations

from functools import partial

import pyarrow as pa

from fruits_pipeline.imaging.isolation import Failure, process_isolated
from fruits_pipeline.spark.parts import (
    JoinedParts,
    MappedPart,
    Part,
    PhotoStep,
    Rows,
    Step,
)


def isolate(part: Part) -> Part:
    """Return the same part, whose photo steps process each photo in a child process."""
    if isinstance(part, JoinedParts):
        return JoinedParts(tuple(map(isolate, part.parts)))
    if isinstance(part, MappedPart):
        return MappedPart(isolate(part.part), _isolate_step(part.step))
    return part


def _isolate_step(step: Step) -> Step:
    return partial(_map_isolated, step=step) if isinstance(step, PhotoStep) else step


def _map_isolated(rows: Rows, step: PhotoStep) -> Rows:
    for batch in rows:
        # Also loads the model of the step, which the child processes then share.
        yield from step(iter([batch.slice(0, 0)]))
        process = partial(_process, batch, step)
        results = process_isolated(process, len(batch), step.limit)
        for position, result in enumerate(results):
            if isinstance(result, Failure):
                yield step.reject(batch.slice(position, 1), result.reason)
            else:
                yield from pa.ipc.open_stream(result)


def _process(batch: pa.RecordBatch, step: PhotoStep, position: int) -> bytes:
    """Return the output of one row as an Arrow stream."""
    (output,) = step(iter([batch.slice(position, 1)]))
    buffer = pa.BufferOutputStream()
    with pa.ipc.new_stream(buffer, output.schema) as stream:
        stream.write_batch(output)
    content: bytes = buffer.getvalue().to_pybytes()
    return content
