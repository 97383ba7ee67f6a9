"""Lesson 12's terminal: the commands of `orderlab`, typed in a notebook and run in a process of their own."""
