"""Inject faults into real runs, and count lost and duplicated photos: `make chaos`."""
