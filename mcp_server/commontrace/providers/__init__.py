"""Messages as providers have them: into one canonical form, and out of it again. Pure."""
