"""Backbones, moments, PCA, classifiers and phone models; no Spark, no Kedro."""
