"""Normalise: pure rules that make values comparable. Values in, dataclasses out; no exceptions."""
