"""An override says itself that it undoes the one before it; its reason had to say so until now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_MARK = "UPDATE override SET is_undo = true WHERE reason = 'taken back'"


def upgrade() -> None:
    """Apply. Overrides never change, so their guard steps aside for this one column."""
    undo: sa.Column[bool] = sa.Column("is_undo", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("override", undo)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE override DISABLE TRIGGER override_append_only")
        op.execute(_MARK)
        op.execute("ALTER TABLE override ENABLE TRIGGER override_append_only")
        return
    guard = "SELECT sql FROM sqlite_master WHERE name = 'override_no_update'"
    written = op.get_bind().exec_driver_sql(guard).scalar_one()
    op.execute("DROP TRIGGER override_no_update")
    op.execute(_MARK)
    op.execute(written)


def downgrade() -> None:
    """Take back; the reasons still say what is an undo."""
    op.drop_column("override", "is_undo")
