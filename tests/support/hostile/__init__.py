"""A corpus of hostile and broken files: every defect in every format that can have it, with its declared outcome."""
