"""Releases: built beside the live one, checked, swapped in by one update, and read through views only."""
