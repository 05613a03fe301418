"""From a run of a benchmark to `docs/figures.md`.

`conditions` says on what was measured, `record` keeps the headline figures of a run as JSON in
`benchmarks/results/`, `page` writes them all into one table.
"""
