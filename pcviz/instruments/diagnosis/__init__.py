"""Diagnosis: what keeps a deep network from learning, with evidence, and what helps."""
