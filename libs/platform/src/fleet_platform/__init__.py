"""What every cuvis-fleet service is made of: errors, rpc, sessions, runs, artifacts, telemetry."""
