"""Toy chains: surfaces of chains of scalars, and the race away from the saddle."""
