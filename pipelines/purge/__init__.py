"""Deleting records for good: what it removes from each store, and the tombstone that stays (decision 18)."""

from pipelines.purge.run import Purged, purge_for_good, purge_records

__all__ = ["Purged", "purge_for_good", "purge_records"]
