"""Git for context windows: objects and refs, pure where they can be; then their rows and routes."""
