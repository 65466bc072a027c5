import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isFault } from '../../src/errors.ts';
import { sampleDatabase } from '../../src/practice-org/generate.ts';
import { Random } from '../../src/practice-org/random.ts';
import { openFolder } from '../../src/store/folder.ts';
import { InProcess } from '../support/in-process.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { withSpaceFor } from './disk.ts';
import type { Torment } from './torment.ts';
import { assertWhole, modelOf } from './whole.ts';

const request = { policy: { objects: ['Account', 'Contact'], exclude: [] } };

/** A disk has room for so many bytes more: the run says so, harms nothing, leaves nothing aside, and the next one goes on when there is space. */
export const diskFull: Torment = {
  name: 'disk-full',
  figure: 'disk full at any fill level',
  faults: ['ENOSPC', 'EDQUOT'],
  short: 4,
  share: 0.5,
  async prepare() {
    const at = await InProcess.start(sampleDatabase({ scale: { Account: 3, Contact: 3 } }));
    const folder = await mkdtemp(path.join(tmpdir(), 'salvor-full-'));
    return {
      async run(number, struck) {
        const random = new Random(number);
        const root = path.join(folder, String(number));
        await at.renewVault(openFolder(root));
        const first = random.chance(50) ? [(await at.backup({ request })).point.id] : [];
        const model = await modelOf(await at.openVault());
        const code = number % 2 === 0 ? 'ENOSPC' : 'EDQUOT';
        const { refused, outcome } = await withSpaceFor(random.int(0, 9000), code, () => at.backup({ request }));
        if (refused.length > 0) struck(code);
        // Behind the seal the lease of the run is given back: that it cannot be is no fault of the point.
        const isLease = (name: string) => path.basename(path.dirname(name)) === 'runs';
        const sealed = outcome.status === 'fulfilled' && refused.every(isLease);
        if (!sealed) {
          assert.ok(
            outcome.status === 'rejected' && isFault(outcome.reason, 'disk-full'),
            String(Object.values(outcome)),
          );
          assert.equal(outcome.reason.exit, 74);
        } else assert.equal(outcome.status, 'fulfilled');
        const aside = readdirSync(root, { recursive: true }).filter((name) => /(^|[/\\])\./.test(String(name)));
        assert.deepEqual(aside, [], 'what was written aside is cleaned up');
        const left = await assertWhole(await MemoryStore.copyOf(at.store), at.keys, model);
        assert.equal(left.points.length, first.length + (sealed ? 1 : 0));
        const { point } = await at.backup({ request });
        assert.equal(point.status, 'complete');
        await assertWhole(await MemoryStore.copyOf(at.store), at.keys, model);
        await rm(root, { recursive: true });
      },
      async [Symbol.asyncDispose]() {
        await at[Symbol.asyncDispose]();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};
