"""The benchmark `routing`: policies of choosing the route, in simulated worlds and virtual time."""
