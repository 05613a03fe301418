"""Estimators of scikit-learn as teachers: files, inputs, roles, and their own arithmetic."""
