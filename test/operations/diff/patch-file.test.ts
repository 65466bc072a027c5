import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { PatchWriter, readPatch } from '../../../src/operations/diff/patch-file.ts';
import { testFolder } from '../../cli/run.ts';

const folder = testFolder();
const id = (n: number) => `001${String(n).padStart(12, '0')}AAA`;
const header = {
  v: 1,
  kind: 'patch' as const,
  vault: 'vault',
  org: '00D000000000001AAA',
  from: { point: 'a', digest: '1' },
  to: { point: 'b', digest: '2' },
  values: true,
};

function written(name: string): string {
  const file = path.join(folder, name);
  const patch = new PatchWriter(file, header);
  const fields = { Name: { from: 'a\u2028b\nc', to: '"]' } };
  patch.add({ object: 'Account', id: id(1), change: 'changed', fields });
  patch.add({ object: 'Account', id: id(2), change: 'added', fields: [] });
  patch.add({ object: 'Contact', id: id(3), change: 'deleted', fields: [] });
  assert.equal(patch.finish().records, 3);
  return file;
}

test('a patch gives the changed and deleted rows of the objects that are asked for, and its header', async () => {
  const file = written('one.patch');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const all = await readPatch(file, () => true);
  assert.deepEqual(all.header, header);
  assert.deepEqual(
    [...all.ids].map(([object, ids]) => [object, ...ids]),
    [
      ['Account', id(1)],
      ['Contact', id(3)],
    ],
  );
  assert.deepEqual([...(await readPatch(file, (object) => object === 'Contact')).ids.keys()], ['Contact']);
  await assert.rejects(
    readPatch(file, () => false),
    { name: 'nothing-selected' },
  );
  assert.throws(() => new PatchWriter(file, header), { name: 'usage' });
});

test('a patch that was changed, cut or made longer is refused, and so is what is none', async () => {
  const file = written('two.patch');
  const text = readFileSync(file, 'utf8');
  const lines = text.split('\n');
  const refused: [string, string][] = [
    [text.replace(id(1), id(4)), 'patch-edited'],
    [text.replace('"changed"', '"deleted"'), 'patch-edited'],
    [text.slice(0, -1), 'patch-edited'],
    [`${text}\n`, 'patch-edited'],
    [`${text}${lines[1]}\n`, 'patch-edited'],
    [`${lines.slice(0, -2).join('\n')}\n`, 'patch-edited'],
    [[lines[0], ...lines.slice(2)].join('\n'), 'patch-edited'],
    [text.replace('"v":1', '"v":2'), 'newer-format'],
    ['Id\n', 'usage'],
    ['', 'usage'],
    ['[]\n', 'usage'],
  ];
  for (const [content, name] of refused) {
    writeFileSync(file, content);
    await assert.rejects(
      readPatch(file, () => true),
      { name },
      content.slice(0, 60),
    );
  }
  await assert.rejects(
    readPatch(path.join(folder, 'none'), () => true),
    { name: 'usage' },
  );
});
