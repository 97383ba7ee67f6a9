"""What a learner answers, and what the course says to it: exercises, checks, predictions, progress."""
