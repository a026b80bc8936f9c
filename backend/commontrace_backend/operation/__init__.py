"""What running a store and a server takes: backup and restore, description, manners, health, figures and logs."""
