import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Ref } from '../../src/vault/record.ts';
import { findRefs, readRefs, writeRefs } from '../../src/vault/refs.ts';
import { compress } from '../../src/vault/sealed.ts';

const name = fc.stringMatching(/^[a-c/.]{1,6}$/);
const ref: fc.Arbitrary<Ref> = fc.record({
  key: name,
  size: fc.nat(),
  sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
});
const list = fc.uniqueArray(ref, { selector: ({ key }) => key, maxLength: 12 });

test('what is asked for by name is found as the whole list says it, also where one name is the end of another', async () => {
  await fc.assert(
    fc.asyncProperty(list, fc.uniqueArray(name, { maxLength: 4 }), async (refs, names) => {
      const stored = await writeRefs(refs);
      const whole = await readRefs('list', stored);
      assert.deepEqual(
        await findRefs('list', stored, names),
        names.flatMap((key) => whole.filter((one) => one.key === key)),
      );
    }),
  );
});

test('a name without its size is refused', async () => {
  const stored = await compress(Buffer.from(`# size 1 ab\n${'0'.repeat(64)}  b\n`));
  await assert.rejects(findRefs('list', stored, ['b']), { name: 'segment-invalid', data: { key: 'list' } });
  await assert.rejects(readRefs('list', stored), { name: 'segment-invalid' });
});
