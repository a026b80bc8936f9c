"""The context commands: git for context windows."""
