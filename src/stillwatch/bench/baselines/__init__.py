"""Published and shipped detectors, side by side with ours: one file each, from the paper, with what was adapted.

All are fitted on benign calibration traffic alone, score accounts, and flag above a quantile of benign scores.
"""
