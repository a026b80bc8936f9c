"""The wire contract: what travels between the agent's side and the data's side. Pydantic only."""
