"""The environment one works in, read from a project's own files: language, system, packages with their versions."""

from commontrace.environment.reading import read_environment

__all__ = ["read_environment"]
