"""What proves what was done: one record for each job, chained, signed day by day, and verifiable for ever."""
