"""The job socket: who may call, what a job must be, and the events that follow."""
