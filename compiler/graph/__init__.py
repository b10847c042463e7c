"""Network to Graph: the fusion DAG as a networkx graph, which users hold and change."""
