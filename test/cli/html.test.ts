import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DOMParser } from '@xmldom/xmldom';
import { diffHtml } from '../../src/cli/output/diff-html.ts';
import type { DiffResult, RecordDiff } from '../../src/operations/diff/request.ts';

/** What could steer a terminal, or make a text read as another. */
const marks = ['\u202e', '\u0000', '\u001b'];
const evil = `</script><script>alert(1)</script>"'><img src=x onerror=alert(2)> & \`\${x}\` \u202egpj.exe \u0000\u001b[31m`;
const record = (object: string, n: number, change: RecordDiff['change'], to = evil): RecordDiff => ({
  object,
  id: `001${String(n).padStart(12, '0')}AAA`,
  change,
  fields: { Name: { from: evil, to }, [evil]: { from: '', to: 'x'.repeat(n === 1 ? 5000 : 5) } },
});
const result: DiffResult = {
  from: '20261120T080000Z-00000a',
  to: '20261121T080000Z-00000b',
  objects: [
    {
      object: 'Account',
      added: 1,
      changed: 1200,
      deleted: 2,
      fields: { Name: 1200, [evil]: 3 },
      fieldsGone: [evil],
      fieldsNew: ['New__c'],
      incomplete: evil,
    },
  ],
  notCompared: [{ object: evil, reason: evil, failed: true }],
  unattributed: 1,
  compared: 7,
};
const of = {
  org: { name: evil, instanceUrl: 'https://example.my.salesforce.com' },
  from: '2026-11-20T08:05:00.000Z',
  to: '2026-11-21T08:05:00.000Z',
  made: '2026-11-22T08:05:00.000Z',
  tool: 'salvor 0.1.0',
};
const records = Array.from({ length: 1200 }, (_, n) => record('Account', n, n === 0 ? 'deleted' : 'changed'));

/** The page, read by a parser of XML: every element is closed and every attribute quoted. */
function parsed(page: string) {
  const closed = page.replace('<!doctype html>', '').replaceAll(/<(meta|br)\b([^>]*)>/g, '<$1$2/>');
  return new DOMParser({
    onError: (level, message) => assert.match(message, /replacement character/, level),
  }).parseFromString(closed, 'text/xml');
}

test('whatever stands in an org stays text in the report, which loads and runs nothing', () => {
  const page = diffHtml(result, records, of);
  const document = parsed(page);
  const elements = [...document.getElementsByTagName('*')];
  const names = new Set(elements.map(({ tagName }) => tagName));
  for (const name of ['script', 'img', 'link', 'iframe', 'svg', 'form']) assert.ok(!names.has(name), name);
  const attributes = elements.flatMap((element) => [...element.attributes].map(({ name, value }) => [name, value]));
  assert.deepEqual(
    attributes.filter(([name]) => /^on|^src$|^srcset$/.test(name!)),
    [],
  );
  for (const [, address] of attributes.filter(([name]) => name === 'href'))
    assert.match(address!, /^https:\/\/example\.my\.salesforce\.com\/001\d{12}AAA$/);
  assert.match(page, /Content-Security-Policy" content="default-src &#39;none&#39;; style-src/);
  for (const mark of marks) assert.ok(!page.includes(mark));
  const [name] = document.getElementsByTagName('h1');
  assert.equal(
    name!.textContent,
    `What differs in ${marks.reduce((text, mark) => text.replaceAll(mark, '\ufffd'), evil)}`,
  );
});

test('the report shows counts, at most 1,000 records of an object, and links only what stands in the org', () => {
  const page = diffHtml(result, records, of);
  assert.match(page, /<b>1,200<\/b> changed/);
  assert.match(page, /and 200 records more/);
  assert.equal(page.match(/<a href=/g)!.length, 999);
  assert.match(page, /and 3,000 characters more/);
  assert.doesNotMatch(diffHtml(result, undefined, of), /<section>/);
  for (const instanceUrl of ['javascript:alert(1)//', 'not a url', ''])
    assert.doesNotMatch(diffHtml(result, records, { ...of, org: { ...of.org, instanceUrl } }), /<a /);
  const quiet = diffHtml({ ...result, objects: [], notCompared: [], unattributed: 0 }, undefined, of);
  assert.match(quiet, /No differences/);
  parsed(quiet);
});
