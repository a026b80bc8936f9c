"""The tools, one file per concept."""
