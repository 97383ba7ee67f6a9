"""How the course draws: the house style, figures that state their facts, and panels with sliders."""
