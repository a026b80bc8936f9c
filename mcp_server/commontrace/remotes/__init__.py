"""Remotes: which there are, what is known of each, and folders that are one."""
