"""Queries: what is found, in which order, what is shown, and when to say nothing."""
