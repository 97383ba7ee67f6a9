"""The experiments of the lessons, each with its figure: what is built, tried and measured in them."""
