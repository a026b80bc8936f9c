"""Text to vectors: one protocol, one file per implementation."""
