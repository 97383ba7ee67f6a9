"""The exercises and predictions of each lesson: lesson_03.py holds those of notebooks/03_the_bus.ipynb."""
