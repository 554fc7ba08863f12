"""The data and what the network says about them: right and wrong answers, the worst mistakes, the latest batch."""
