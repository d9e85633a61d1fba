"""Kedro datasets of the catalog: tables, photo store, and models."""

from fruits_pipeline.datasets.backbone_folder import BackboneFolder
from fruits_pipeline.datasets.classifier_file import ClassifierFile, FittedClassifier
from fruits_pipeline.datasets.delta.batches import DeltaBatches
from fruits_pipeline.datasets.delta.views import (
    DeltaCounts,
    DeltaListing,
    DeltaPandas,
    DeltaSpark,
    ExistingPhotos,
)
from fruits_pipeline.datasets.pca_file import FittedPca, PcaFile
from fruits_pipeline.datasets.phone_model_file import PhoneModelFile
from fruits_pipeline.datasets.photo_store import Listing, PhotoStore

__all__ = [
    "BackboneFolder",
    "ClassifierFile",
    "DeltaBatches",
    "DeltaCounts",
    "DeltaListing",
    "DeltaPandas",
    "DeltaSpark",
    "ExistingPhotos",
    "FittedClassifier",
    "FittedPca",
    "Listing",
    "PcaFile",
    "PhoneModelFile",
    "PhotoStore",
]
