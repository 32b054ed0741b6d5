"""Thresholds without labels: choose the join threshold, estimate both error rates, and check the estimates."""
