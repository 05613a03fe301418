"""The parts of `benchmarks/exact.py`: models, what is emitted of them, measuring, report."""
