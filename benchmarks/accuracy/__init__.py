"""How right the links are, side by side with Splink and recordlinkage; run with `make bench-accuracy`."""
