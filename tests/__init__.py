"""Tests of the product, by level."""
