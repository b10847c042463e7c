"""The site: what MkDocs is told, and the playground."""
