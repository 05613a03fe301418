"""Distill a trained model into the cheapest formula within a tolerance, and emit it as C."""
