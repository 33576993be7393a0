"""Fitting click models: plain arithmetic where it is small, XGBoost for trees. Using a model needs nothing of it."""
