GENOTYPE, MEMBERS = "genotype", "ensemble"


def report(rows, folder):
    return ""
