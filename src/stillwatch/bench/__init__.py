"""The tables of docs/results: speed against parsing alone, verdicts on captured traffic."""
