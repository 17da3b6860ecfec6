"""From texts, predictions and votes to evidence: metrics, diversity, similarity, statistics, report."""
