"""The commands of `joinedup`, by what they are for. Heavy imports stay inside the commands."""
