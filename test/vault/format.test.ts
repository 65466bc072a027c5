import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as layout from '../../src/vault/layout.ts';
import { kinds } from '../../src/vault/record.ts';
import { formatExample } from '../support/format-example.ts';

const page = readFileSync(path.resolve(import.meta.dirname, '../../src/vault/FORMAT.md'), 'utf8');

test('the example of FORMAT.md is rebuilt byte for byte', () => {
  for (const [tag, text] of Object.entries(formatExample())) {
    const block = new RegExp(`^\`\`\`${tag}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(page)?.[1];
    assert.equal(block, text, tag);
  }
});

test('FORMAT.md names every kind of log record', () => {
  for (const kind of Object.keys(kinds)) assert.match(page, new RegExp(`\`${kind}\``));
});

test('names of objects are those of the layout table', () => {
  const point = '20261122T224100Z-0a1b2c';
  const digest = 'ab'.repeat(32);
  assert.equal(layout.segment(point, 7, digest), `data/${point}/00007-${digest}.csv.zst.age`);
  assert.equal(layout.indexTwin(point, 7, digest), `index/${point}/00007-${digest}.idx.zst.age`);
  assert.equal(layout.gone(point, 7, digest), `gone/${point}/00007-${digest}.csv.zst.age`);
  assert.equal(layout.pack(point, 7, digest), `files/${point}/00007-${digest}.tar.age`);
  assert.equal(layout.filePart(point, 7, 2, digest), `files/${point}/00007.age.002-${digest}`);
  assert.equal(layout.detail(point, digest), `detail/${point}-${digest}.json.zst.age`);
  assert.equal(layout.page('map', digest), `pages/${digest}.map.zst.age`);
  assert.equal(layout.logRecord(42), 'log/00000000000000000042');
  assert.equal(layout.seqOf('log/00000000000000000042'), 42);
  assert.equal(layout.mintPoint(new Date('2026-11-22T22:41:00.123Z'), Buffer.from('0a1b2cff', 'hex')), point);
  for (const key of [
    layout.segment(point, 1, digest),
    layout.filePart(point, 1, 1, digest),
    layout.detail(point, digest),
    layout.page('refs' as 'map', digest),
    layout.attestation('20261122T224100Z', digest),
  ]) {
    assert.equal(layout.digestIn(key), digest, key);
  }
  assert.equal(layout.digestIn(`points/${point}/root.json.zst.age`), undefined);
});

test('a point that begins in the second of another sorts behind it', () => {
  const started = new Date('2026-11-22T22:41:00.900Z');
  const minted = (random: string, ...others: string[]) => layout.mintPoint(started, Buffer.from(random, 'hex'), others);
  assert.equal(minted('000000', '20261122T224100Z-0a1b2c'), '20261122T224100Z-0a1b2d');
  assert.equal(minted('ffffff', '20261122T224100Z-0a1b2c', '20261122T224100Z-000001'), '20261122T224100Z-143659');
  assert.equal(minted('000007', '20261122T224059Z-ffffff'), '20261122T224100Z-000007');
  assert.equal(minted('000007', '20261122T224100Z-ffffff'), '20261122T224101Z-000007');
  assert.equal(minted('000000', '20261122T224130Z-00000f'), '20261122T224130Z-000010', 'the newest is a little ahead');
  assert.equal(minted('00000b', '20261122T224230Z-00000f').slice(0, 16), '20261122T224100Z', 'its clock is wrong');
});
