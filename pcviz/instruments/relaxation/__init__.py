"""Relaxation: what happens inside one relaxation?"""
