"""Event source mappings: how Lambda polls queues (`service`) and streams (`streams`), and judges what failed."""
