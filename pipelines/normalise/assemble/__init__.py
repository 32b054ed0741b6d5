"""Assembling a delivery: the rows of an agency's files become rows of the shared schema, as the contract says."""
