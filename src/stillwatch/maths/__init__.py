"""Numbers in, numbers out: e-values, exact tails, mixtures."""
