"""The search index: one protocol, one file per database."""
