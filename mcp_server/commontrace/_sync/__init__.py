"""The blocking client, generated from the asynchronous one by generate_sync.py."""
