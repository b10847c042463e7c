"""The hypernet while it is searched: mixtures, penalties, the unrolled step."""
