import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { connect } from '../../src/salesforce/connect.ts';
import type { Extraction, Org } from '../../src/salesforce/org.ts';
import { type Call, json, noWaits, type ScriptedOrg, testContext, token } from './scripted-org.ts';

export const columns = ['Id', 'SystemModstamp', 'IsDeleted', 'Name'];
export const plan = { way: 'bulk', fields: columns, blobFields: [], leftOut: [] } as const;
export const job = '750000000000001AAA';

export function csvRow(i: number): string {
  return `"001${String(i).padStart(12, '0')}AAA","2024-04-16T19:00:00.000Z","false","Row ${i}, with ""quotes""\nand lines"\n`;
}
export const header = `${columns.map((name) => `"${name}"`).join(',')}\n`;

/** A job whose results are `rows` rows in pages of `size`; `page` may answer instead. */
export function serveJob(
  org: ScriptedOrg,
  rows: number,
  size: number,
  page?: (call: Call, response: ServerResponse, whole: { body: string; headers: Record<string, string> }) => boolean,
  processed: number | undefined = rows,
): void {
  org.on('POST', '/jobs/query', (_call, response) => json(response, 200, { id: job, state: 'UploadComplete' }));
  org.on('GET', `/jobs/query/${job}`, (call, response) =>
    json(response, 200, {
      id: job,
      state: call.before === 0 ? 'InProgress' : 'JobComplete',
      numberRecordsProcessed: processed,
    }),
  );
  org.on('DELETE', `/jobs/query/${job}`, (_call, response) => void response.writeHead(204).end());
  org.on('GET', `/jobs/query/${job}/results`, (call, response) => {
    const from = Number(call.query.get('locator') ?? 0);
    const to = Math.min(rows, from + size);
    const body = header + Array.from({ length: to - from }, (_, i) => csvRow(from + i)).join('');
    const headers = {
      'Sforce-Locator': to === rows ? 'null' : String(to),
      'Sforce-NumberOfRecords': String(to - from),
    };
    if (page?.(call, response, { body, headers })) return;
    sendCsv(response, body, headers);
  });
}

export function sendCsv(response: ServerResponse, body: string, headers: Record<string, string>, gzip = true): void {
  response.writeHead(200, { 'content-type': 'text/csv', ...(gzip && { 'content-encoding': 'gzip' }), ...headers });
  response.end(gzip ? gzipSync(body) : body);
}

export async function open(
  org: ScriptedOrg,
  signal?: AbortSignal,
): Promise<{ client: Org; ctx: ReturnType<typeof testContext> }> {
  const ctx = testContext(signal);
  const login = { kind: 'token', accessToken: token, instanceUrl: org.url } as const;
  const client = await connect(ctx, login, { ...noWaits(), timeouts: { headers: 2000, body: 2000 } });
  return { client, ctx };
}

export async function read(extraction: Extraction): Promise<string> {
  const parts: Buffer[] = [];
  let rows = 0;
  for await (const batch of extraction.batches) {
    assert.equal(batch.ends.at(-1), batch.bytes.length);
    parts.push(Buffer.from(batch.bytes));
    rows += batch.ends.length;
  }
  assert.equal(extraction.summary().rows, rows);
  return Buffer.concat(parts).toString();
}
