"""JupyterLab in a real Chromium. A package, so that its browser ends with its tests and not with the whole session."""
