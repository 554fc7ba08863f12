"""The frame of work that the worker advances in short slices: protocol, training, looks, and what they share."""
