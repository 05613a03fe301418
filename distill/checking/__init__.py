"""The checker of certificates: small, independent of the prover, in its own ball arithmetic.

It reads data (formula trees, chains, boxes) and trusts nothing that computed them: every bound is
found anew with the balls of Arb (Johansson 2017, doi:10.1109/TC.2017.2690633).
"""
