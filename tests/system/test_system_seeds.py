"""Other seeds interleave otherwise: the hunt's cases, spread over two hundred histories."""

import pytest

from orderlab.ops import hunt


@pytest.mark.parametrize("block", range(8))
def test_four_zeros_for_many_seeds(whole, scale, block: int) -> None:
    """Under --all 200 seeds, each with every fortieth case from another one on; the slice takes 8 seeds."""
    seeds = range(block * 25, block * 25 + 25) if scale == "all" else [block]
    every = 40 if scale == "all" else 100
    assert [str(c) for seed in seeds for c in hunt.singles(whole, seed, every=every, first=seed)] == []
