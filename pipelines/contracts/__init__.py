"""Contracts: the only reader of `schemas/`."""
