"""What must survive: jobs, attempts, message ids, receipts and events, in one SQLite file."""
