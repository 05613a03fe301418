"""The parts of `benchmarks/firmware.py`: problems and their models, emitters, measuring, report."""
