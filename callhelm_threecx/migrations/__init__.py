"""Alembic's scripts. `callhelm_threecx.migrate` runs them."""
