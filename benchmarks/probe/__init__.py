"""Every shipped carrier profile, simulated and probed blind."""
