"""What running a server takes: its description, its manners, its health, its figures and its log."""
