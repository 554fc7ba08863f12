"""The network view: one example goes through a network, layer by layer and inference step by inference step."""
