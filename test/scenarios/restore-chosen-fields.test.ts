import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { OrgRequests } from '../support/org-snapshot.ts';
import { assertNothingSilent, Restores } from '../support/restored.ts';
import { Rig } from '../support/rig.ts';

/** Texts that files, forms and APIs are known to change on their way. */
const texts = [
  ...['null', '#N/A', '  two spaces before', '\n\nlines before', 'CRLF\r\nand LF\nand CR\r.', 'quote " comma , ; \'\\'],
  ...[
    '\u{1F9EF}\u{1F468}\u200D\u{1F469}\u200D\u{1F467} e\u0301 \u05E9\u05DC\u05D5\u05DD',
    'true',
    '00123',
    '=1+1',
    '-',
    'x'.repeat(32_000),
  ],
  `${'\u{1F680}"\n'.repeat(7_999)}end`,
];

describe('rows and fields that are chosen', () => {
  let rig: Rig;
  let restores: Restores;
  let accounts: string[];
  let written: string[];

  before(async () => {
    rig = await Rig.start();
    restores = await Restores.start(rig, ['Account', 'Lead'], prepare);
    accounts = [...(await restores.before()).rows.get('Account')!.keys()];
  });
  after(() => rig[Symbol.asyncDispose]());

  async function prepare(org: OrgRequests): Promise<void> {
    written = await org.create(
      'Account',
      texts.map((Description, n) => ({ Name: `Text ${n}`, Description })),
    );
  }

  test('--fields puts three fields back and leaves the others', async () => {
    const some = accounts.slice(0, 30);
    await restores.org.update(
      'Account',
      some.map((Id) => ({ Id, Fax: '+41 0' })),
    );
    const whole = await restores.before();
    await restores.org.update(
      'Account',
      some.map((Id) => ({ Id, Name: 'Lost', Phone: null, Rating: 'Cold' })),
    );
    const chosen = ['--objects', 'Account', '--fields', 'Name,Phone,Rating', '--overwrite'];
    const restored = await restores.restore(whole, 'before', ...chosen);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.equal(restored.ran.json.result.done.Account.updated, 30);
  });

  test('--where puts back the rows that met a condition when the point was taken', async () => {
    const before = await restores.before();
    const banks = [...before.rows.get('Account')!.values()].filter(
      ({ Industry, AnnualRevenue }) => Industry === 'Banking' && Number(AnnualRevenue) > 200_000,
    );
    const other = accounts.find((id) => !banks.some(({ Id }) => Id === id))!;
    await restores.org.update('Account', [{ Id: other, Site: 'Elsewhere' }]);
    const whole = await restores.before();
    await restores.org.update(
      'Account',
      banks.map(({ Id }) => ({ Id: Id!, Industry: 'Retail', Site: 'Gone' })),
    );
    const condition = "Industry = 'Banking' AND AnnualRevenue > 200000";
    const chosen = ['--objects', 'Account', '--where', condition, '--fields', 'Industry,Site', '--overwrite'];
    const restored = await restores.restore(whole, 'before', ...chosen);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.equal(restored.ran.json.result.done.Account.updated, banks.length);
    assert.ok(banks.length > 5);
  });

  test('--ids-file brings back the leads that a list names, and no others', async () => {
    const leads = [...(await restores.before()).rows.get('Lead')!.keys()];
    const [wanted, unwanted] = [leads.slice(0, 12), leads.slice(40, 45)];
    await restores.org.delete(unwanted);
    const whole = await restores.before();
    await restores.org.delete(wanted);
    await restores.org.emptyRecycleBin(wanted.slice(0, 6));
    const file = path.join(rig.folder, 'leads.txt');
    writeFileSync(file, `${wanted.map((id) => id.slice(0, 15)).join('\n')}\n`);
    const restored = await restores.restore(whole, 'before', '--ids-file', file);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    const { done } = restored.ran.json.result;
    assert.deepEqual([done.Lead.inserted, done.Lead.undeleted], [6, 6]);
  });

  test('every text comes back as it was, over another text', async () => {
    const whole = await restores.before();
    await restores.org.update(
      'Account',
      written.map((Id) => ({ Id, Description: 'overwritten' })),
    );
    const chosen = ['--ids', written.join(), '--overwrite'];
    const restored = await restores.restore(whole, 'before', ...chosen);
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.equal(restored.ran.json.result.done.Account.updated, texts.length);
    assert.deepEqual(await descriptions(written), texts);
  });

  test('every text comes back as it was, in records that are made again', async () => {
    const whole = await restores.before();
    await restores.org.delete(written);
    await restores.org.emptyRecycleBin(written);
    const restored = await restores.restore(whole, 'before', '--ids', written.join());
    assertNothingSilent(restored);
    assert.equal(restored.ran.status, 0, restored.ran.stderr);
    assert.deepEqual(await descriptions(written.map((id) => restored.ids.get(id)!)), texts);
  });

  async function descriptions(ids: readonly string[]): Promise<unknown[]> {
    const rows = (await restores.before()).rows.get('Account')!;
    return ids.map((id) => rows.get(id)?.Description);
  }
});
