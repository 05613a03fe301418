"""Torch networks in all their forms: weights, exported graphs, blocks inside a network."""
