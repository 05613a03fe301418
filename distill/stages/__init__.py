"""The stages: plain functions from typed inputs and their own config to one typed result.

None knows Hydra, MLflow, the runner or another stage; :mod:`distill.pipeline` puts them in a row.
The fit stage is :mod:`distill.fitting`; what export and verify do, :mod:`distill.delivery`.
"""
