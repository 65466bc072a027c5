/** How the page of `salvor diff --format html` looks, on a screen and on paper. */
export const styles = `
:root { --ink: #1c2024; --paper: #fff; --faint: #5f6b76; --line: #d9dee3; --soft: #f4f6f8;
  --added: #1a7f4b; --changed: #a86200; --deleted: #c0362c; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e7eaed; --paper: #15181b; --faint: #9aa6b1; --line: #343b42; --soft: #1e2327;
    --added: #4cc38a; --changed: #f0b13c; --deleted: #ff7b6e; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem; max-width: 72rem; color: var(--ink); background: var(--paper);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { margin: 2.2rem 0 .5rem; font-size: 1.15rem; }
small, footer { color: var(--faint); font-weight: normal; }
header p { margin: .3rem 0 0; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; margin: 1.5rem 0; padding: 0; list-style: none; }
.figures li { flex: 1 1 8rem; padding: .8rem 1rem; border: 1px solid var(--line); border-top: 3px solid var(--faint);
  border-radius: 6px; color: var(--faint); }
.figures b { display: block; color: var(--ink); font-size: 1.7rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.figures .added { border-top-color: var(--added); }
.figures .changed { border-top-color: var(--changed); }
.figures .deleted { border-top-color: var(--deleted); }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead th { color: var(--faint); font-weight: 600; font-size: .85rem; overflow-wrap: normal; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide { width: 22%; }
.bar { display: flex; height: .8rem; margin-top: .35rem; }
.bar i { min-width: 2px; }
i.added { background: var(--added); }
i.changed { background: var(--changed); }
i.deleted { background: var(--deleted); }
.field { white-space: nowrap; margin-right: .4rem; }
.asides { margin-top: 1.5rem; padding: .1rem 1rem; background: var(--soft); border-left: 3px solid var(--changed); }
.asides h2 { margin: .6rem 0 0; font-size: 1rem; }
.records td.id { width: 12rem; font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .85rem; }
.records td:nth-child(2) { width: 6rem; }
.mark { font-size: .85rem; font-weight: 600; }
.mark.added { color: var(--added); }
.mark.changed { color: var(--changed); }
.mark.deleted { color: var(--deleted); }
a { color: inherit; }
dl { margin: 0; }
dl div, .head { display: grid; grid-template-columns: minmax(5rem, 10rem) 1fr 1fr; gap: .8rem; margin-bottom: .15rem; }
dt { color: var(--faint); }
dd { margin: 0; }
del, ins { display: block; padding: 0 .4rem; border-left: 3px solid; border-radius: 3px; background: var(--soft);
  text-decoration: none; white-space: pre-wrap; }
del { border-color: var(--deleted); }
ins { border-color: var(--added); }
footer { margin-top: 2.5rem; font-size: .85rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  thead { display: table-header-group; }
  tr, .figures li { break-inside: avoid; }
  .bar i, del, ins, .asides { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; }
}
`;
