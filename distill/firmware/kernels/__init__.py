"""Functions of our own: polynomials in 16- or 32-bit integers between two conversions of floats.

One file per form (curve, logarithm, exponential, wave), each with its design, its model in NumPy
and its C. Integers make the result the same on every machine, and cost a tenth of float32 where
there is no floating-point unit.
"""
