"""Pure functions that keep secrets in and deceptions out; the same on both sides of the wire."""

from typing import Final

RULES_VERSION: Final = "3"
"""Stored beside every verdict, so that a store can be scanned again when the rules change."""
