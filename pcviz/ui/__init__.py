"""The app: controls, live panels, page shell. Never imports JAX."""
