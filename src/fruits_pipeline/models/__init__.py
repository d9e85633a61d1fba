"""Arithmetic of models: backbone, moments, PCA, classifier, phone model."""
