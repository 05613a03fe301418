"""Bundles of functions of arrays: many inputs, several outputs at once, labels of classes."""
