"""`connector probe`: find out by experiment what a carrier honours, and write it down as a profile.

A step (`steps`) says what it sends and what it concludes from what comes back, and does no input or output of
its own; the runner (`runner`) carries it out over real binds. `profile` writes the findings as TOML.
"""
