"""How sure a figure is: resampling, intervals, comparisons of many."""
