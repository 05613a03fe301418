"""The fit stage: rounds of search over a sample that grows by its own counterexamples."""
