"""Planted illnesses: sound networks, each made ill by one setting or two, and what the diagnosis says of them.

`python -m benchmarks.illness FOLDER` measures the evidence of all cases that FOLDER does not hold yet, two at a time
(about three hours), and prints how many are named. `--store ARCHIVE` keeps it for the tests.
"""
