"""Compression and budgets: what to take out of a window, and what that loses. Pure: no database, no clock."""
