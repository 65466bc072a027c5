import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseWriterKey } from '../../src/age/keys.ts';
import { ForeignReader } from './foreign-reader.ts';
import { type Ran, Rig, type RigOptions } from './rig.ts';

export interface BackedUp extends AsyncDisposable {
  readonly rig: Rig;
  readonly ran: Ran;
  readonly reader: ForeignReader;
  /** A file with the age identity of the writer key. */
  readonly writerIdentity: string;
}

/** A practice org of these options, backed up through bin/ with `salvor backup --json` and `args`, which has to end well, and a foreign reader of the vault. */
export async function backedUp(options: RigOptions = {}, args: readonly string[] = []): Promise<BackedUp> {
  const rig = await Rig.start(options);
  try {
    await rig.init();
    const ran = await rig.salvor('backup', '--json', ...args);
    assert.equal(ran.status, 0, ran.stderr + ran.stdout);
    assert.equal(ran.json.result.point.status, 'complete');
    const reader = new ForeignReader(rig.vault, rig.env.SALVOR_IDENTITY_FILE!);
    const writerIdentity = path.join(rig.folder, 'writer-identity.key');
    const { identity } = parseWriterKey(readFileSync(rig.env.SALVOR_WRITER_KEY_FILE!, 'utf8'));
    writeFileSync(writerIdentity, `${identity}\n`, { mode: 0o600 });
    return {
      rig,
      ran,
      reader,
      writerIdentity,
      async [Symbol.asyncDispose]() {
        reader[Symbol.dispose]();
        await rig[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await rig[Symbol.asyncDispose]();
    throw error;
  }
}
