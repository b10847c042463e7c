"""The study of strategies: its data sets, what it compares, its rows and the tables of them."""
