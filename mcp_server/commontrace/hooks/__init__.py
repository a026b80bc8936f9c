"""What agents' hooks run, and what the running server answers them: there when it helps, silent when not."""
