"""Second factors: what proves a person besides their password."""

from auth.factors.enrolment import Enrolled, Enrolment
from auth.factors.factors import ONE_TIME, PASSKEY, Asked, Factors, Proof, Proven
from auth.factors.passkeys import RelyingParty, relying_party
from auth.factors.problems import FactorProblem, FactorRefused

__all__ = [
    "ONE_TIME",
    "PASSKEY",
    "Asked",
    "Enrolled",
    "Enrolment",
    "FactorProblem",
    "FactorRefused",
    "Factors",
    "Proof",
    "Proven",
    "RelyingParty",
    "relying_party",
]
