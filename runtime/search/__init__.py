"""Search: strategies, budgets, costs, controls, and the consensus of several."""
