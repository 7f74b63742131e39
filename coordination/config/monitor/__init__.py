"""What is counted and asked about the running system: for the health page, for Prometheus, for the watchdog."""
