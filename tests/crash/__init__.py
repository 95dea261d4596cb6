"""What survives kill -9: real processes, killed for real."""
