"""A delivery normalised from the warehouse to the warehouse: in parts of whole persons, in bounded memory."""
