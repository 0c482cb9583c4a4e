"""Classifiers of topics: nodes with their validity, and tables from one classifier to another.

    classifier = seed()                          what comes with the gateway: a part of ССТУ's
    classifier.lookup("0005.0005.0056.1149")     a node, by full code and date
    tables.mapped(topics)                        what a peer's own codes mean in other classifiers

Pure: no clock, no network, no database. The store keeps what a body has loaded (`gateway topics`).
"""

from gateway.topics.changes import Change, Kind, compare
from gateway.topics.classifier import Classifier
from gateway.topics.codes import SSTU, canonical, is_shaped, level_of, parent_of
from gateway.topics.node import Node
from gateway.topics.seed import seed
from gateway.topics.tables import EMPTY, Tables

__all__ = [
    "EMPTY",
    "SSTU",
    "Change",
    "Classifier",
    "Kind",
    "Node",
    "Tables",
    "canonical",
    "compare",
    "is_shaped",
    "level_of",
    "parent_of",
    "seed",
]
