"""Pieces of knowledge, their versions, and what happened to those who used them."""
