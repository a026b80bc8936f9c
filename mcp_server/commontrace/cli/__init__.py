"""The command line: one command = parse, one client call, print."""
