import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { IdMarks } from '../../src/rows/id-marks.ts';
import { longId } from '../../src/schema/ids.ts';

const id = fc.integer({ min: 0, max: 150 }).map((n) => longId(`001${String(n).padStart(11, '0')}x`));

test('marked Ids are as many sets, whichever Ids they share', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(id, fc.nat(2)), { maxLength: 300 }), fc.array(id), (added, asked) => {
      const marks = new IdMarks();
      const views = [marks.mark(), marks.mark(), marks.mark()];
      const sets = [new Set<string>(), new Set<string>(), new Set<string>()];
      const numbers = new Map<string, number>();
      for (const [one, mark] of added) {
        if (!numbers.has(one)) numbers.set(one, numbers.size);
        views[mark]!.add(one);
        sets[mark]!.add(one);
      }
      for (const [mark, view] of views.entries()) {
        const set = sets[mark]!;
        assert.equal(view.size, set.size);
        assert.equal(view.end, numbers.size);
        assert.deepEqual([...view].sort(), [...set].sort());
        assert.deepEqual([...view.sorted()], [...set].sort());
        for (const one of [...asked, ...numbers.keys()]) {
          assert.equal(view.has(Buffer.from(`"${one}"`), 1), set.has(one));
          assert.equal(view.number(one), set.has(one) ? numbers.get(one) : -1);
        }
      }
    }),
  );
});

test('there are eight marks', () => {
  const marks = new IdMarks();
  for (let n = 0; n < 8; n++) marks.mark().add('001000000000001AAA');
  assert.throws(() => marks.mark(), RangeError);
});
