"""OrderLab: a resilient, event-driven order system on AWS, built, broken and measured on your own machine.

Nothing is imported here, so that `python3 -m orderlab` starts with nothing installed.
"""

__version__ = "0.1.0"
PYTHONS = ("3.13", "3.12", "3.11")  # the versions that the course runs on, as pyproject.toml says
