"""Enumerations, with the SDK's values."""

from enum import Enum


class ProcessingMode(Enum):
    Preview = 1
    Raw = 2
    DarkSubtract = 3
    Reflectance = 4
    SpectralRadiance = 5


class ReferenceType(Enum):
    Dark = 1
    White = 2
    WhiteDark = 3
    SpRad = 4
    Distance = 5
