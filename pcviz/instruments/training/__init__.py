"""Training: how does this network learn?"""
