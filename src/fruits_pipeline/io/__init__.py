"""File access with fsspec, on local disks and in S3 buckets."""
