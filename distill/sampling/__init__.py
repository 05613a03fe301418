"""Where to ask the teacher: designs, the sample they give, and counterexamples."""
