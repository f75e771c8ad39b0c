"""Names for containers that nobody named: an adjective and the surname of somebody worth knowing."""

from __future__ import annotations

import os
from collections.abc import Sequence

from millefeuille.annotations import Final

_ADJECTIVES: Final = (
    "able agile amber ancient apt bold brave breezy bright brisk busy calm candid careful cheerful "
    "clever cosy crisp curious daring deft eager early earnest fair famous fleet fond frank fresh "
    "frosty gentle glad golden grand happy hardy hearty honest humble jolly keen kind lively lucid "
    "lucky mellow merry mild modest neat nimble noble patient plain polite proud quick quiet ready "
    "serene sharp silent simple sincere smart snug sober solid spry steady sunny swift tidy tranquil "
    "upbeat valiant vivid warm wise witty zesty"
).split()
_SURNAMES: Final = (
    "ampere archimedes avicenna babbage banach bell bohr boole born brahe cantor carson cauchy cerf "
    "chandra codd cori curie darwin dijkstra dirac einstein erdos euclid euler faraday fermat fermi "
    "feynman franklin galileo galois gauss germain goodall hamilton heisenberg hertz hilbert hopper "
    "hubble huygens hypatia johnson joule kepler knuth kovalevskaya lagrange lamarr laplace leavitt "
    "leibniz lovelace maxwell mayer mcclintock meitner mendel mirzakhani newton nobel noether ohm "
    "pascal pasteur pauling planck poincare ptolemy ramanujan ride riemann rubin shannon somerville "
    "tesla thompson turing volta wiles wing wu yonath"
).split()


def propose(attempt: int) -> str:
    """A name as Docker forms them; later attempts have a digit."""
    name = f"{_one_of(_ADJECTIVES)}_{_one_of(_SURNAMES)}"
    return name if attempt == 0 else f"{name}{_one_of('0123456789')}"


def _one_of(choices: Sequence[str]) -> str:
    return choices[int.from_bytes(os.urandom(4)) % len(choices)]
