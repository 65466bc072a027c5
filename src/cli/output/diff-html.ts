import type { DiffResult, ObjectDiff, RecordDiff } from '../../operations/diff/request.ts';
import { byReason } from './diff.ts';
import { styles } from './diff-styles.ts';
import { count, countOf, time } from './figures.ts';
import { Html, html } from './html.ts';

/** What a report says besides the differences. */
export interface ReportOf {
  readonly org: { readonly name: string; readonly instanceUrl: string };
  /** Times of both states, ISO 8601. */
  readonly from: string;
  readonly to: string;
  readonly made: string;
  readonly tool: string;
}

/** Records of one object, and characters of a value, that a page shows. */
const mostRecords = 1000;
const mostCharacters = 2000;

const kinds = ['added', 'changed', 'deleted'] as const;

/** The differences as one page that stands for itself: no script, nothing that is loaded, for a browser and for paper. */
export function diffHtml(result: DiffResult, records: readonly RecordDiff[] | undefined, of: ReportOf): string {
  const { objects, from, to } = result;
  const sums = kinds.map((kind) => [kind, objects.reduce((sum, one) => sum + one[kind], 0)] as const);
  const byObject = Map.groupBy(records ?? [], ({ object }) => object);
  const title = `What differs in ${of.org.name}`;
  const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(styles)}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p><b>${from}</b> <small>${time(of.from)}</small> to <b>${to === 'live' ? 'the org now' : to}</b> <small>${time(of.to)}</small></p>
</header>
<ul class="figures">
${sums.map(([kind, sum]) => html`<li class="${kind}"><b>${count(sum)}</b> ${kind}</li>\n`)}<li><b>${count(objects.length)}</b> of ${countOf(result.compared, 'object')}</li>
</ul>
${objects.length === 0 ? html`<p>No differences.</p>\n` : overview(objects)}${asides(result)}${objects.map((one) => section(one, byObject.get(one.object) ?? [], of.org.instanceUrl))}<footer>${of.tool}, ${time(of.made)}</footer>
</body>
</html>
`;
  return page.text;
}

function overview(objects: readonly ObjectDiff[]): Html {
  const most = Math.max(1, ...objects.map(total));
  return html`<table>
<thead><tr><th>Object</th><th class="n">Added</th><th class="n">Changed</th><th class="n">Deleted</th><th class="wide"></th><th>Fields that changed most</th></tr></thead>
<tbody>
${objects.map(
  (
    one,
  ) => html`<tr><th>${one.object}</th>${kinds.map((kind) => html`<td class="n">${one[kind] === 0 ? '' : count(one[kind])}</td>`)}<td class="wide">${bar(one, most)}</td><td>${fieldsOf(one)}</td></tr>
`,
)}</tbody>
</table>
`;
}

function bar(one: ObjectDiff, most: number): Html {
  const part = (kind: (typeof kinds)[number]) =>
    one[kind] === 0
      ? html``
      : html`<i class="${kind}" style="width:${((100 * one[kind]) / most).toFixed(2)}%" title="${countOf(one[kind], kind, kind)}"></i>`;
  return html`<span class="bar">${kinds.map(part)}</span>`;
}

function fieldsOf({ fields, fieldsGone, fieldsNew }: ObjectDiff): Html {
  const shown = Object.entries(fields).slice(0, 5);
  const more = Object.keys(fields).length - shown.length;
  return html`${shown.map(([name, rows]) => html`<span class="field">${name} <small>${count(rows)}</small></span> `)}${more > 0 ? `and ${count(more)} more` : ''}${fieldsGone.length > 0 ? html`<br><small>gone: ${fieldsGone.join(', ')}</small>` : ''}${fieldsNew.length > 0 ? html`<br><small>new: ${fieldsNew.join(', ')}</small>` : ''}`;
}

/** What a reader has to know before believing the figures. */
function asides({ objects, notCompared, unattributed }: DiffResult): Html {
  const lines = [
    ...objects.flatMap(({ object, incomplete, only }) => [
      ...(incomplete === undefined ? [] : [html`<li><b>${object}</b>: ${incomplete}</li>\n`]),
      ...(only ? [html`<li><b>${object}</b>: ${only.reason}</li>\n`] : []),
    ]),
    ...byReason(notCompared).map(
      ({ objects: names, count: many, reason }) =>
        html`<li><b>${names}</b> ${many === 1 ? 'was' : 'were'} not compared: ${reason}</li>\n`,
    ),
    ...(unattributed > 0
      ? [html`<li>${countOf(unattributed, 'row')} vanished without a trace: nobody can say who deleted them</li>\n`]
      : []),
  ];
  return lines.length === 0
    ? html``
    : html`<section class="asides">\n<h2>What to know of these figures</h2>\n<ul>\n${lines}</ul>\n</section>\n`;
}

function section(one: ObjectDiff, own: readonly RecordDiff[], instanceUrl: string): Html {
  if (own.length === 0) return html``;
  const left = own.length - mostRecords;
  const head = Array.isArray(own[0]!.fields)
    ? html`Fields`
    : html`<span class="head"><span>Field</span><span>Before</span><span>After</span></span>`;
  return html`<section>
<h2>${one.object} <small>${countOf(own.length, 'record')}</small></h2>
<table class="records">
<thead><tr><th>Record</th><th>Change</th><th>${head}</th></tr></thead>
<tbody>
${own.slice(0, mostRecords).map((record) => row(record, instanceUrl))}</tbody>
</table>
${left > 0 ? html`<p>and ${countOf(left, 'record')} more; --format csv has all</p>\n` : ''}</section>
`;
}

function row({ id, change, fields, deletedWith }: RecordDiff, instanceUrl: string): Html {
  const shown = Array.isArray(fields)
    ? html`${fields.join(', ')}`
    : html`<dl>${Object.entries(fields).map(([name, { from, to }]) => values(name, change, from, to))}</dl>`;
  const root = deletedWith === undefined ? html`` : html`deleted with ${deletedWith}`;
  return html`<tr><td class="id">${linked(id, change, instanceUrl)}</td><td><span class="mark ${change}">${change}</span></td><td>${root}${shown}</td></tr>
`;
}

function values(name: string, change: RecordDiff['change'], from: string, to: string): Html {
  const before = change === 'added' ? html`` : html`<del>${value(from)}</del>`;
  const after = change === 'deleted' ? html`` : html`<ins>${value(to)}</ins>`;
  return html`<div><dt>${name}</dt><dd>${before}</dd><dd>${after}</dd></div>`;
}

function value(text: string): Html {
  if (text === '') return html`<small>(empty)</small>`;
  const left = text.length - mostCharacters;
  return html`<bdi>${text.slice(0, mostCharacters)}</bdi>${left > 0 ? html`<small> and ${count(left)} characters more</small>` : ''}`;
}

/** A record that is gone has no page in the org. */
function linked(id: string, change: RecordDiff['change'], instanceUrl: string): Html {
  if (change === 'deleted' || !/^https?:\/\//i.test(instanceUrl) || !URL.canParse(instanceUrl)) return html`${id}`;
  const address = new URL(`/${encodeURIComponent(id)}`, instanceUrl);
  return html`<a href="${address.href}" rel="noopener noreferrer">${id}</a>`;
}

function total({ added, changed, deleted }: ObjectDiff): number {
  return added + changed + deleted;
}
