"""Wiring agents: where each keeps its servers and commands, and how those files change."""
