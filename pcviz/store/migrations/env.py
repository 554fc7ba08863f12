"""Alembic's entry: migrate over the connection that `pcviz.store.versions` provides, inside its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
