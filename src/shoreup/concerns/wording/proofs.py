"""What the concerns about proof share: how it is said where a claim stands.

They speak of what nobody has seen, and of what would show it. That nothing is broken is said by the report.
"""

from __future__ import annotations

from shoreup.facts.proofs import Inputs, Standing, State, last_day


def since(standing: Standing, what: str, of: str = "it") -> str:
    """Where a claim stands, as a part of a sentence. ``what`` is the thing that was done: ``a restore``."""
    proof = standing.proof
    plain = what.removeprefix("a ").removeprefix("an ")
    if proof is None:
        return f"nothing on record shows {what} of {of}"
    if standing.state is State.FAILED:
        return f"the {plain} of {proof.day} failed"
    if standing.state is State.NOT_VERIFIED:
        return f"the {plain} of {proof.day} could not be carried through, so that it shows nothing"
    if standing.state is State.CHANGED:
        return f"the {plain} of {proof.day} worked, and its {_listed(standing.changed)} changed since"
    return f"the {plain} of {proof.day} worked, and counted until {last_day(proof)}"


def cannot_compare(standing: Standing, inputs: Inputs) -> str:
    """Why a proof that would count may be about something else; empty where it counts."""
    if not standing.proven or not inputs.undecided or standing.proof is None:
        return ""
    return f"whether what was proven on {standing.proof.day} is what runs now: {inputs.undecided}"


def _listed(names: tuple[str, ...]) -> str:
    ordered = sorted(names)
    return ordered[0] if len(ordered) == 1 else f"{', '.join(ordered[:-1])} and {ordered[-1]}"
