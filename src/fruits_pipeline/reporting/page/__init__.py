"""The page `report.html`: functions from tables and dictionaries to HTML."""
