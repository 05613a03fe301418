"""How good a candidate is: errors, the worst point, the Pareto front and the rules that choose."""
