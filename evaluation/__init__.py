"""From texts, predictions and votes to evidence: metrics, diversity, statistics, report."""
