"""How fast the gateway is, against the same requests without it. `python -m benchmarks`, see docs/benchmarks.md."""
