"""Discrete-event simulation of clients and services, driving the very objects of patterns. Seeded; seconds."""
