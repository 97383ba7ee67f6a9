"""The exercises and predictions of each lesson: lesson_03.py holds those of notebooks/03_the_bus.ipynb.

Beside them stand the worlds in which answers are tried: `receive_loop` (lesson 04), `batches` and `batch_handlers`
(05), `raced_table` (06), `points` and `leases` (07), `mending` and `log_groups` (12).
"""
