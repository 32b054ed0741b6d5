"""How dense a cluster is, and whether accepted links that lead out of it were cut.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of clusters of earlier runs nothing is known, so they stay empty."""
    op.add_column(
        "cluster_summary",
        sa.Column(
            "density",
            sa.Double(),
            nullable=True,
            comment="Links held over pairs of records; 1 for a record alone.",
        ),
        schema="linked",
    )
    op.add_column(
        "cluster_summary",
        sa.Column(
            "was_cut",
            sa.Boolean(),
            nullable=True,
            comment="Whether an accepted link out of the cluster was cut.",
        ),
        schema="linked",
    )
