"""A synthetic population with known truth, written out as each agency's own files."""

from pipelines.synth.generate import SynthReport, SynthRequest, generate

__all__ = ["SynthReport", "SynthRequest", "generate"]
