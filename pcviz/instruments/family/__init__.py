"""The stable family: exponents of a parameterisation by sliders, how its networks scale, and where it lies."""
