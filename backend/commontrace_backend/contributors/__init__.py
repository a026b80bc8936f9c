"""Who acts: contributors, their organizations and their keys."""
