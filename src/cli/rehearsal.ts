import path from 'node:path';
import type { Rehearsed } from '../operations/rehearse/certificate.ts';
import type { RehearsalSchema } from '../operations/rehearse/handed-over.ts';
import type { RehearseRequest } from '../operations/rehearse/rehearse.ts';
import type { LogEntry } from '../vault/log.ts';
import type { Vault } from '../vault/vault.ts';
import type { CommandContext } from './command.ts';

/**
 * Rehearses a point: an org is started on this machine from the point's own schema, and gets the whole restore over HTTP. The journal of the
 * restore lies in the private folder of this run.
 */
export async function rehearsePoint(
  ctx: CommandContext,
  vault: Vault,
  entry: LogEntry,
  request: RehearseRequest,
): Promise<Rehearsed> {
  const { rehearse } = await import('../operations/rehearse/rehearse.ts');
  const { startRehearsalOrg } = await import('../practice-org/from-schema.ts');
  const { connect } = await import('../salesforce/connect.ts');
  const { openStore } = await import('../store/open.ts');
  const journalStore = await openStore(path.join(ctx.tempDir, 'rehearsal'), { signal: ctx.signal });
  const closing: (() => Promise<void>)[] = [() => journalStore.close()];
  const startOrg = async (schema: RehearsalSchema) => {
    const practice = await startRehearsalOrg(schema);
    closing.unshift(() => practice.close());
    const { accessToken, url: instanceUrl } = practice;
    const org = await connect(ctx, { kind: 'token', accessToken, instanceUrl });
    closing.unshift(() => org.close());
    return org;
  };
  try {
    return await rehearse(ctx, { vault, entry, journalStore, startOrg }, request);
  } finally {
    for (const close of closing) await close();
  }
}
