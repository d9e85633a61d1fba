import pytest

from fruits_pipeline.datasets.delta.errors import translate_delta_errors
from fruits_pipeline.errors import FruitsError, TransientError

LOCATION = "s3://fruits/data/03_primary/images"


@pytest.mark.parametrize(
    ("error", "action", "resource"),
    [
        (
            "Generic S3 error: Error performing PUT "
            "https://s3.eu-west-3.amazonaws.com/fruits/data/a.parquet in 2 ms - Server "
            "returned non-2xx status code: 403 Forbidden: <Code>AccessDenied</Code>",
            "s3:PutObject",
            "arn:aws:s3:::fruits/data/a.parquet",
        ),
        (
            "Generic S3 error: Error performing GET "
            "https://s3.eu-west-3.amazonaws.com/fruits?list-type=2&prefix=data in 2 ms - "
            "Server returned non-2xx status code: 403 Forbidden",
            "s3:ListBucket",
            "arn:aws:s3:::fruits",
        ),
        (
            "Generic S3 error\n  \x1b[31m↳\x1b[0m DeleteObjects request failed for key "
            "data/03_primary/images/_delta_log/0.json\n \x1b[31m↳\x1b[0m Access Denied "
            "(code\n \x1b[31m↳\x1b[0m AccessDenied)",
            "s3:DeleteObject",
            "arn:aws:s3:::fruits/data/03_primary/images/_delta_log/0.json",
        ),
    ],
)
def test_denied_requests_name_action_and_resource(
    error: str, action: str, resource: str
) -> None:
    with pytest.raises(FruitsError) as caught, translate_delta_errors(LOCATION):
        raise OSError(error)
    assert not isinstance(caught.value, TransientError)
    assert action in str(caught.value)
    assert f"{resource} " in f"{caught.value} "


def test_unreachable_storage_is_transient() -> None:
    with (
        pytest.raises(TransientError, match="not reachable"),
        translate_delta_errors(LOCATION),
    ):
        raise OSError("Generic S3 error: error sending request")
