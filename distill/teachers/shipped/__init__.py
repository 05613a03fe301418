"""Teachers that come with the package: their weights, and the truth they were learned from."""
