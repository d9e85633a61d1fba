"""`FruitsError`, and the messages of denied access that several packages raise."""


class FruitsError(Exception):
    """An error that a user can fix.

    The message states what was found, what was expected, and which setting to change.
    """


def s3_access_denied_message(action: str, resource: str) -> str:
    """Return the message for a request to S3 that the IAM role does not permit.

    Args:
        action: IAM action, such as `s3:GetObject`.
        resource: ARN of the bucket or object, or the error of S3 if the ARN is unknown.
    """
    return (
        f"Found that {action} on {resource} is denied; expected permission to list and "
        "read photos, and to list, read, write and delete tables. Grant it to the role of "
        "this server, as deploy/template.yaml does."
    )


def file_access_denied_message(path: str) -> str:
    """Return the message for a local file that the current user may not access."""
    return (
        f"Found that access to {path} is not permitted; expected permission to read "
        "photos, and to read, write and delete tables. Change the permissions of the "
        "folder, or choose another `root`."
    )
