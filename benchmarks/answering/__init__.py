"""The benchmark `machine`: how often the machine detector is wrong."""
