"""Expectations at every stage: run in PostgreSQL by Great Expectations, gated on severity, kept and reported.

The only group of modules that imports great_expectations.
"""
