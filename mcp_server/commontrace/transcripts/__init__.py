"""What agents write down of their runs: read into a tree of messages, and that into commits. Pure."""
