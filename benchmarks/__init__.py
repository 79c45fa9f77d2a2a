"""What the project promises in numbers, measured on this machine: `python -m benchmarks NAME`."""
