"""C for chains: each kind of step printed in a file of its own."""
