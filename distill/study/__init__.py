"""What is known when a search has ended: candidates, scores, costs and the choice."""
