"""The side that runs next to the data: HTTP in, SQL out."""
