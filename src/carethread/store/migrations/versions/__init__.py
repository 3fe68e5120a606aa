"""Migrations of the schema, one file per version."""
