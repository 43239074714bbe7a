"""The foundation of every service: errors, RPC, stores, settings and telemetry."""
