"""Training programs that a chapter teaches and that benchmarks and shipped weights need as well."""
