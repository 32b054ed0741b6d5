"""Measurements; run with `make bench`. Nothing here is a test."""
