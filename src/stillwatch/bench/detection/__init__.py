"""Detection against ground truth: generate, scan, measure, compare with published baselines, report.

data -> run (ours, baselines, ablations; one JSON a seed) -> measures -> report, plots
"""
