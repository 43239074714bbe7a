"""Reconciliation of unfinished runs and recovery of those that lost their owner."""
