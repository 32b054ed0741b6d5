"""The fused engine: blocking, comparison and scoring in one compiled pass that never lists the candidate pairs."""
