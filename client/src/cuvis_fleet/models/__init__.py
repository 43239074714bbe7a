"""What operations take and return, as plain immutable Python types."""
