"""Carriers: the contract, and SMPP accounts that keep it."""
