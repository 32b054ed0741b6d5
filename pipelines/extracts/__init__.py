"""What an agency runs on its own extract before it sends it: read, normalise, count; no warehouse, no values."""
