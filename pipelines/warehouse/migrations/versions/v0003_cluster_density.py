"""How dense a cluster is, and whether accepted links that lead out of it were cut.

Revision: 0003
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of clusters of earlier runs nothing is known, so they stay empty."""
    density = "Links held over pairs of records; 1 for a record alone."
    was_cut = "Whether an accepted link out of the cluster was cut."
    columns: tuple[sa.Column[Any], ...] = (
        sa.Column("density", sa.Double(), nullable=True, comment=density),
        sa.Column("was_cut", sa.Boolean(), nullable=True, comment=was_cut),
    )
    for column in columns:
        op.add_column("cluster_summary", column, schema="linked")
