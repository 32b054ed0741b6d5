"""Joined-up records about one person, across agencies."""
