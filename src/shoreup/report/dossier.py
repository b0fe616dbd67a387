"""The dossier as JSON for the page: the account's contract and what the page shows beside it."""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.model.amendment import Amendment, Change
from shoreup.model.dossier import Aim, Cell, Dossier, Readiness, Trait
from shoreup.model.finding import Finding
from shoreup.report import contract, patch
from shoreup.report.contract import Json
from shoreup.report.drilled import as_json
from shoreup.report.folding import kinds, urgent
from shoreup.report.graph import link_json, thing_json


def document(dossier: Dossier) -> dict[str, Json]:
    """Everything that the page reads."""
    return {
        "made": dossier.made.isoformat(),
        "account": contract.document(dossier.account),
        "first": [_first(kind.first, kind.count) for kind in urgent(kinds(dossier.account.findings))],
        "titles": dict(dossier.titles),
        "traits": [trait.value for trait in Trait],
        "services": [_service(one) for one in dossier.services],
        "graph": {
            "things": [thing_json(one) for one in dossier.graph.things],
            "links": [link_json(one) for one in dossier.graph.links],
        },
        "proofs": [as_json(one) for one in dossier.proofs],
        "aims": {subject: _aim(aim) for subject, aim in dossier.aims.items()},
        "fixes": None if dossier.amendment is None else _fixes(dossier.amendment),
    }


def _first(worst: Finding, count: int) -> Json:
    return {"fingerprint": worst.fingerprint, "count": count}


def _service(one: Readiness) -> Json:
    return {
        "namespace": one.namespace,
        "name": one.name,
        "kind": one.kind,
        "tier": one.tier,
        "dependants": one.dependants,
        "things": list(one.things),
        "cells": {trait.value: _cell(cell) for trait, cell in one.cells.items()},
    }


def _cell(cell: Cell) -> Json:
    return {"standing": cell.standing.value, "note": cell.note, "fingerprints": list(cell.fingerprints)}


def _aim(aim: Aim) -> Mapping[str, Json]:
    return {"rto": aim.rto, "rpo": aim.rpo}


def _fixes(amendment: Amendment) -> Json:
    return {
        "applied": [
            {
                "fingerprint": one.finding.fingerprint,
                "title": one.title,
                "safety": one.safety.value,
                "reason": one.reason,
                "impact": one.impact.value,
                "cost": one.cost,
                "files": list(one.files),
            }
            for one in amendment.applied
        ],
        "not_fixed": {one.finding.fingerprint: {"reason": one.reason, "text": one.text} for one in amendment.not_fixed},
        "diffs": [{"file": one.path, "diff": _diff(one)} for one in amendment.shown],
        "written": list(amendment.written),
        "after": dict(amendment.after),
        "before": dict(amendment.before),
    }


def _diff(change: Change) -> str:
    return patch.render((change,)).decode("utf-8", "replace")
