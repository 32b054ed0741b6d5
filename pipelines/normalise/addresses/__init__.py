"""Addresses: the lines as one text, the parts that a small grammar finds in them, and UPRNs."""

from pipelines.normalise.addresses.grammar import AddressParts, parse_segments, render_parts
from pipelines.normalise.addresses.lines import NormalisedAddress, normalise_address
from pipelines.normalise.addresses.uprns import NormalisedUprn, normalise_uprn

__all__ = [
    "AddressParts",
    "NormalisedAddress",
    "NormalisedUprn",
    "normalise_address",
    "normalise_uprn",
    "parse_segments",
    "render_parts",
]
