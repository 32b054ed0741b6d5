"""A linkage run from the warehouse to the warehouse: who may be linked, with which model, and what came of it."""

from pipelines.linking.run import link_run

__all__ = ["link_run"]
