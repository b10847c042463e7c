"""How pages look: in light and dark, on a screen and on paper."""

COLOURS = 6
"""How many lines of a chart are told apart by colour; others are grey."""

STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --quiet: #666; --paper: #fff; --rule: #ddd;
  --box: #f5f5f5; --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #a8578a; --c4: #b27700;
  --c5: #2f8fc4; --other: #b5b5b5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --quiet: #a0a0a0; --paper: #16181c;
  --rule: #3a3d42; --box: #22252a; --c0: #5ab4ea; --c1: #ff9248; --c2: #3fcf9f; --c3: #dd9cc4;
  --c4: #e8b13d; --c5: #9ad2f5; --other: #5c5f66; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 Helvetica, Arial, sans-serif; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
h1, h2, h3, h4 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
h4 { font-size: 14px; margin: 0 0 .3rem; }
.wide { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; } caption { text-align: left; padding-bottom: .4rem; }
th, td { padding: .25rem .9rem .25rem 0; text-align: left; vertical-align: baseline;
  border-bottom: 1px solid var(--rule); }
th { font-size: 14px; overflow-wrap: anywhere; min-width: 6rem; } tbody th { font-weight: normal; }
td { overflow-wrap: anywhere; }
th.number, td.number { text-align: right; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
pre { background: var(--box); padding: 1rem; overflow-x: auto; font-size: 14px; line-height: 1.4; }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg { max-width: 100%; height: auto; display: block; }
figure.diagram { background: #fff; padding: .5rem; width: fit-content; max-width: 100%; }
figure.diagram svg { max-height: 60rem; }
figure.diagram figcaption { color: #444; }
figcaption { font-size: 14px; color: var(--quiet); }
details { margin: .8rem 0; } summary { cursor: pointer; }
.pair { display: flex; flex-wrap: wrap; gap: 0 2rem; } .pair > * { flex: 1 1 20rem; min-width: 0; }
.pair figure, .grid figure { margin: 0; }
.grid { display: grid; gap: 1.2rem 1.5rem; margin: 1rem 0;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); }
.grid > div { min-width: 0; }
.legend { list-style: none; margin: .2rem 0 0; padding: 0; font-size: 13px; }
.legend li { display: flex; gap: .5rem; align-items: baseline; }
.legend bdi { flex: 1 1 auto; min-width: 0; }
.legend .value { font-variant-numeric: tabular-nums; }
.legend .taken { font-weight: bold; }
.swatch { flex: none; width: .8rem; height: .25rem; align-self: center; background: var(--other); }
.bar { display: inline-block; height: .6rem; background: var(--c0); }
.chart .axis { stroke: var(--rule); stroke-width: 1; fill: none; }
.chart text { fill: var(--quiet); font-size: 12px; }
.chart .line { fill: none; stroke: var(--other); stroke-width: 1.8; stroke-linejoin: round; }
.chart .dot { fill: var(--other); stroke: none; }
.chart .band { fill: var(--other); opacity: .18; stroke: none; }
.chart .mark { fill: var(--c1); stroke: var(--paper); stroke-width: 1.5; }
.chart .line.dashed { stroke: var(--quiet); stroke-width: 1.2; stroke-dasharray: 4 3; }
.swatch.dashed { height: 0; background: none; border-top: 2px dashed var(--quiet); }
""" + "".join(
    f".swatch.c{i} {{ background: var(--c{i}); }} .chart .line.c{i} {{ stroke: var(--c{i}); }} "
    f".chart .dot.c{i}, .chart .band.c{i} {{ fill: var(--c{i}); }}\n"
    for i in range(COLOURS)
)
