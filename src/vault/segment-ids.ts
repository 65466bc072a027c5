import { Fault, isFault } from '../errors.ts';
import type { RowBatch } from '../rows/batch.ts';
import { projection } from '../rows/project.ts';
import type { Layer } from './layers.ts';
import { readSegment } from './segment.ts';
import type { Vault } from './vault.ts';

/**
 * The Ids of a segment or of tombstones, ascending, as rows of one column: from the index twin where there is one. The stored object is fetched before the
 * promise resolves. Throws what `readSegment` and `read` of the vault throw, with the key.
 */
export async function readIds(
  vault: Vault,
  { ref, gone }: Layer,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<RowBatch>> {
  const stored = gone ? ref : (ref.index ?? ref);
  const identities = stored === ref && !gone ? await vault.rowIdentities() : await vault.manifestIdentities();
  const body = await vault.read(stored, signal);
  return (async function* () {
    const options = { expected: { rows: ref.rows }, ...(signal ? { signal } : {}) };
    try {
      for await (const { columns, batch } of readSegment(identities, body, options)) {
        if (!columns.includes('Id')) throw new Fault('segment-invalid', 'There is no column Id.');
        yield projection(columns, ['Id'])(batch);
        batch.release?.();
      }
    } catch (error) {
      if (!isFault(error) || error.data.key !== undefined) throw error;
      const data = { ...error.data, key: stored.key };
      throw new Fault(error.name, `${stored.key}: ${error.message}`, { data, cause: error });
    }
  })();
}
