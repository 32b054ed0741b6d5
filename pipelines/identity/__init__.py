"""The person ledger: which record is which person since when, and who must not be found."""
