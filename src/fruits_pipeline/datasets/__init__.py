"""Kedro datasets of the catalog: tables, photo store, and models."""

from fruits_pipeline.datasets.attempt import Attempt
from fruits_pipeline.datasets.backbone_folder import BackboneFolder
from fruits_pipeline.datasets.classifier_file import ClassifierFile, FittedClassifier
from fruits_pipeline.datasets.csv_report import CsvReport
from fruits_pipeline.datasets.delta.batches import DeltaBatches
from fruits_pipeline.datasets.delta.content_retention import ContentRetention
from fruits_pipeline.datasets.delta.lost_photos import LostPhotos
from fruits_pipeline.datasets.delta.moments import DeltaMoments
from fruits_pipeline.datasets.delta.photo_changes import GonePhotos, PhotoChanges
from fruits_pipeline.datasets.delta.stored_table import StoredTable, TableState
from fruits_pipeline.datasets.delta.tidying import TidyPlan, TidyResult, TidyTable
from fruits_pipeline.datasets.delta.views import (
    DeltaCounts,
    DeltaListing,
    DeltaNewBatches,
    DeltaPandas,
    DeltaSpark,
    ExistingPhotos,
)
from fruits_pipeline.datasets.forgotten_file import ForgottenFile
from fruits_pipeline.datasets.json_file import JsonFile
from fruits_pipeline.datasets.json_lines import JsonLines
from fruits_pipeline.datasets.parquet_report import ParquetReport
from fruits_pipeline.datasets.pca_content import FittedPca
from fruits_pipeline.datasets.pca_file import PcaFile
from fruits_pipeline.datasets.phone_model_file import PhoneModelFile
from fruits_pipeline.datasets.photo_listing import ListedFiles, Listing
from fruits_pipeline.datasets.photo_store import PhotoStore
from fruits_pipeline.datasets.reachable_photos import ReachablePhotos
from fruits_pipeline.datasets.report_folder import ReportFolder
from fruits_pipeline.datasets.search_terms_file import SearchTermsFile
from fruits_pipeline.datasets.text_file import TextFile

__all__ = [
    "Attempt",
    "BackboneFolder",
    "ClassifierFile",
    "ContentRetention",
    "CsvReport",
    "DeltaBatches",
    "DeltaCounts",
    "DeltaListing",
    "DeltaMoments",
    "DeltaNewBatches",
    "DeltaPandas",
    "DeltaSpark",
    "ExistingPhotos",
    "FittedClassifier",
    "FittedPca",
    "ForgottenFile",
    "GonePhotos",
    "JsonFile",
    "JsonLines",
    "ListedFiles",
    "Listing",
    "LostPhotos",
    "ParquetReport",
    "PcaFile",
    "PhoneModelFile",
    "PhotoChanges",
    "PhotoStore",
    "ReachablePhotos",
    "ReportFolder",
    "SearchTermsFile",
    "StoredTable",
    "TableState",
    "TextFile",
    "TidyPlan",
    "TidyResult",
    "TidyTable",
]
