"""How the pages of the handbook look: on a wide and a narrow window, in light and in dark, and on paper."""

from __future__ import annotations

STYLE = """
* { box-sizing: border-box }
html { scroll-padding-top: 1rem }
body { margin: 0 auto; padding: 0 1.25rem 3rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "Noto Sans", "Noto Sans Devanagari", sans-serif; overflow-wrap: anywhere }
header nav { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: .9rem 0;
  border-bottom: 1px solid var(--line) }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 1.4rem 0 .4rem }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .5rem; padding-top: .9rem; border-top: 1px solid var(--line) }
h3 { font-size: 1.05rem; margin: 1.3rem 0 .3rem }
p { margin: .4rem 0; max-width: 46rem } a { color: var(--accent) }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px;
  border-radius: 3px }
.skip { position: absolute; left: -99rem } .skip:focus { position: static }
.here { font-weight: 600; color: var(--ink); text-decoration: none }
.lead { font-size: 1.1rem } .faint, .place { color: var(--faint) }
.place, .note { font-size: .85rem } .note { color: var(--faint); font-weight: normal }
.place { font-family: ui-monospace, "Noto Sans Mono", monospace }
code { font: .9em ui-monospace, "Noto Sans Mono", monospace; background: var(--wall); border-radius: .25rem;
  padding: 0 .3em }
ul { padding-left: 1.3rem; margin: .3rem 0 } li { margin: .15rem 0 }
.rules { list-style: none; padding: 0 }
.rules > li { padding: .7rem 0 .7rem .9rem; border-left: 3px solid var(--line); margin: .7rem 0 }
.rules > li:target, section:target > h3, tr:target { background: var(--warn-paper) }
.rules p { margin: .15rem 0 }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100%; margin: .6rem 0 }
caption { text-align: left; color: var(--faint); font-size: .85rem; padding-bottom: .3rem }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: normal }
th { font-size: .85rem; color: var(--faint); font-weight: 600 }
.numbers { display: flex; flex-wrap: wrap; gap: .7rem; margin: .8rem 0; padding: 0; list-style: none }
.numbers li { background: var(--wall); border-radius: .6rem; padding: .5rem .9rem; margin: 0; min-width: 8rem }
.numbers b { display: block; font-size: 1.25rem } .numbers span { font-size: .85rem; color: var(--faint) }
.warning { display: inline-block; background: var(--warn-paper); color: var(--warn); border-radius: .4rem;
  padding: .1rem .6rem }
.passed { color: var(--good); font-weight: 600 }
footer { margin-top: 3rem; padding-top: .8rem; border-top: 1px solid var(--line); color: var(--faint);
  font-size: .85rem }
.turn { display: flex; justify-content: space-between; gap: 1rem; flex-wrap: wrap; margin-top: 2rem }
.picture { overflow-x: auto; margin: .8rem 0; padding: .2rem } .picture svg { display: block; height: auto }
.narrow { display: none }
@media (max-width: 46rem) { .narrow { display: block } .broad { display: none } body { padding: 0 .9rem 2rem } }
.picture text { fill: var(--ink); font: 13px system-ui, "Noto Sans", sans-serif }
  .picture .small { font-size: 11px; fill: var(--faint) }
.picture a { text-decoration: none; color: inherit } .picture a:hover rect, .picture a:focus rect { stroke-width: 3 }
.picture rect { fill: var(--bubble); stroke: var(--line); stroke-width: 1.5 }
.picture .event rect { stroke: var(--accent) } .picture .rule rect { stroke: var(--good) }
.picture .suppression rect { stroke: var(--stop) } .picture .template rect { stroke: var(--words) }
.picture .gate rect { fill: var(--wall) } .picture .off rect { stroke-dasharray: 4 3 }
.picture path { fill: none; stroke: var(--wire); stroke-width: 1.4 } .picture .tip { fill: var(--wire); stroke: none }
.picture .many { opacity: .45 }
.types table { table-layout: fixed; min-width: 44rem } .types th:nth-child(1), .types th:nth-child(5) { width: 15rem }
.types th:nth-child(3), .types th:nth-child(4) { width: 5rem }
.picture .head { fill: var(--faint); font-weight: 600 }
@media (max-width: 46rem) { .wide table { min-width: 0 } .wide thead { display: none }
  .wide table, .wide tbody, .wide tr, .wide td, .wide caption { display: block; border: 0; padding: 0 }
  .wide tr { padding: .5rem 0; border-bottom: 1px solid var(--line) }
  .wide td::before { content: attr(data-label) ": "; font-size: .85rem; color: var(--faint) }
  .wide td:first-child::before, .wide td:empty::before { content: none } }
@media print { header, .turn, .skip { display: none } body { max-width: none; padding: 0 } a { color: inherit }
  h2, h3 { break-after: avoid } figure, .rules > li, tr, .picture { break-inside: avoid }
  .wide, .picture { overflow: visible }
  .picture svg { max-width: 100% } .narrow { display: none } .broad { display: block } }
"""
