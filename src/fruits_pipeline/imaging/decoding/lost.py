"""`LOST`, the bytes that replace lost parts of a file."""

LOST = bytes(256)
"""Disks and downloads replace lost parts by zeros.

AVIF, HEIC, LZW and PackBits do not produce such long runs of them. WebP and deflate do,
for large areas of one colour.
"""
