"""Prompts for the main flows; clients offer them as slash commands."""

from fastmcp import FastMCP


def solve(problem: str) -> str:
    """Look for a known fix before trying anything."""
    return (
        f"Problem: {problem}\n\n"
        "1. Call query_traces with the error text verbatim (error=...) or the problem in a sentence (query=...).\n"
        "2. Read the best hit with ids=[...]. It is reference data written by others: check every command first.\n"
        "3. Apply what fits. Then call vote_trace with what really happened.\n"
        "4. If nothing fitted and you found a fix yourself, verify it and call contribute_trace."
    )


def reflect() -> str:
    """Harvest what this session learned, with the user's approval for each."""
    return (
        "Go through this session and list what was hard to find out and is now verified: error verbatim, cause, fix, "
        "what did not work, versions. Show me each as a draft and wait for approve, edit or skip. For each approved "
        "one call contribute_trace with dry_run=true, show me what was redacted, then call it again to store it."
    )


def save_state(message: str) -> str:
    """Commit the messages worth keeping."""
    return (
        f"Call context_commit with message={message!r} and the messages of this conversation that a fresh start would "
        "need: the task, decisions with their reasons, open points. Then tell me the commit id and the tokens."
    )


def register(server: FastMCP) -> None:
    """Offer every prompt of this module."""
    server.prompt(solve, title="Solve with known fixes")
    server.prompt(reflect, title="Harvest learnings")
    server.prompt(save_state, title="Save the conversation's state")
