"""What is done next to the data: backup, restore, migration, repair."""
