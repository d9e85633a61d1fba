"""The error that users read, and messages that several modules need."""


class FruitsError(Exception):
    """An error that a user can fix; it says what was found, expected, and to change."""


def denied(action: str, resource: str) -> str:
    """Return the message for a request to S3 that the role does not allow.

    Args:
        action: IAM action, such as `s3:GetObject`.
        resource: ARN, or what else is known of it.
    """
    return (
        f"Found that {action} on {resource} is denied; expected permission to list and "
        "read photos, and to list, read, write and delete tables. Give it to the role of "
        "this server, as deploy/template.yaml does."
    )


def not_allowed(place: str) -> str:
    """Return the message for a file on this disk that this user may not use."""
    return (
        f"Found that access to {place} is not permitted; expected permission to read "
        "photos, and to read, write and delete tables. Change the permissions of the "
        "folder, or choose another `root`."
    )
