"""How fast the linking is, beside Splink, recordlinkage and a bare loop over the same pairs."""
