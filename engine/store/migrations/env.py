"""What alembic runs: the revisions, on the connection that `migrate` hands over."""

from alembic import context

from engine.store.models import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
