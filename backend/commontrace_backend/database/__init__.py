"""The only place that knows a dialect: engines, sessions, locks, types and migrations."""
