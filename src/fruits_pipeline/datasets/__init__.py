from fruits_pipeline.datasets.backbone_folder import BackboneFolder
from fruits_pipeline.datasets.batch_table import BatchTable
from fruits_pipeline.datasets.classifier_file import ClassifierFile, FittedClassifier
from fruits_pipeline.datasets.pca_file import FittedPca, PcaFile
from fruits_pipeline.datasets.phone_model_file import PhoneModelFile
from fruits_pipeline.datasets.photo_store import Listing, PhotoStore

__all__ = [
    "BackboneFolder",
    "BatchTable",
    "ClassifierFile",
    "FittedClassifier",
    "FittedPca",
    "Listing",
    "PcaFile",
    "PhoneModelFile",
    "PhotoStore",
]
