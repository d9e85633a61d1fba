"""Draw figures and contact sheets."""
