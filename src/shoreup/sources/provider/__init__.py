"""Terraform's ``kubernetes`` provider: its resource types as Kubernetes objects, by a dated field table."""

from shoreup.sources.provider.conversion import computed_id, to_kubernetes
from shoreup.sources.provider.routes import kubernetes_route, terraform_route
from shoreup.sources.provider.table import Field, KindTable, ProviderTable, Shape, table

__all__ = [
    "Field",
    "KindTable",
    "ProviderTable",
    "Shape",
    "computed_id",
    "kubernetes_route",
    "table",
    "terraform_route",
    "to_kubernetes",
]
