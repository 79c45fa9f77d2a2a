"""How close the daemon comes to a limit that only the carrier knows."""
