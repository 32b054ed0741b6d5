"""The engines behind one interface: each finds, compares and scores the candidate pairs of a model."""
