"""pcviz beside other libraries for predictive coding (`make bench-peers`).

All train the same network from the same weights on the same batches: tanh, muPC with skips, gradient descent on
activities, Adam on weights, float32. Before anything is timed, the energies of the first weight steps have to agree.
"""
