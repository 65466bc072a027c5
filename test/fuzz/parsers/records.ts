import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { newSigningKey, newWriterKey, parseSigningKey, parseWriterKey } from '../../../src/age/keys.ts';
import { signSsh } from '../../../src/age/ssh.ts';
import { logRecord, trustFile } from '../../../src/vault/layout.ts';
import { Log } from '../../../src/vault/log.ts';
import { ordered, parseRecord, rolesFor } from '../../../src/vault/record.ts';
import { openDocument, splitDocument } from '../../../src/vault/signed.ts';
import { type PublicKey, readTrust, Trust } from '../../../src/vault/trust.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { faults, type Parser } from '../parser.ts';

const golden = new URL('../../golden/format-1/vault/', import.meta.url);
const stored = (key: string) => readFileSync(new URL(key, golden));
const document = stored(logRecord(2));
const { line, value } = splitDocument('a record', document);
const { vault } = value as { vault: string };
const root = parseSigningKey(newSigningKey('root'));
const writer = parseWriterKey(newWriterKey());
const admin = parseSigningKey(newSigningKey('admin'));
const keyOf = (id: string, role: PublicKey['role'], { publicKey, fingerprint }: typeof root): PublicKey => ({
  id,
  role,
  key: publicKey,
  fingerprint,
});
const first = {
  v: 1 as const,
  kind: 'trust' as const,
  vault,
  number: 1,
  keys: [keyOf('root', 'root', root), keyOf('writer-1', 'writer', writer.signing), keyOf('admin', 'admin', admin)],
  recipients: [],
  created: '2026-11-23T23:49:28.000Z',
};
const trust = new Trust();
trust.files.push(first);
const signed = (key: typeof root, namespace: string, text: Buffer) =>
  Buffer.concat([text, Buffer.from(signSsh(key, namespace, text))]);
/** Up to its first LF, which ends what is signed. */
const lineOf = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, bytes.indexOf(10) >>> 0), Buffer.from('\n')]);

const kinds = [
  { kind: 'retire', points: ['20261123T234928Z-adb687'], until: '2026-12-01T00:00:00Z' },
  { kind: 'epoch', recipient: 'age1x', keys: [{ key: 'keys/e0001/r0001.age', size: 5, sha256: '0'.repeat(64) }] },
  { kind: 'restore', restore: 'R20261123T234928Z-adb687' },
];

export const parser: Parser = {
  sources: [
    ...['record.ts', 'log.ts', 'signed.ts', 'trust.ts', 'layout.ts'].map((file) => `src/vault/${file}`),
    'src/age/ssh.ts',
    'node_modules/zod/v4/core/schemas',
  ],
  words: [
    ...['{', '}', '[', ']', ',', ':', 'null', 'true', '""', '\n', '\\u0000', '__proto__', '1e999', '-1'],
    ...[
      '"v":2',
      '"kind":',
      '"point"',
      '"toString"',
      '"seq":',
      '"keys":[',
      '"refs":{',
      '"until":"2026-12-01T00:00:00Z"',
    ],
    ...['-----BEGIN SSH SIGNATURE-----\n', '-----END SSH SIGNATURE-----\n', 'U1NIU0lH', 'ssh-ed25519 '],
  ],
  ways: {
    document: {
      seeds: [document, stored(logRecord(1)), stored(trustFile(1)), stored('vault.json')],
      run(bytes) {
        return openDocument('a document', bytes, 'salvor-log-v1', trust, rolesFor).signer.id;
      },
      foreseen: faults('signature-invalid'),
    },
    record: {
      seeds: [line, ...kinds.map((more) => JSON.stringify({ ...(value as object), ...more }))],
      run(bytes) {
        const record = parseRecord('a record', splitDocument('a record', lineOf(bytes)).value);
        assert.deepEqual(ordered(record), record);
        return record.kind;
      },
      foreseen: faults('signature-invalid', 'newer-format'),
    },
    // The line is signed as it is: a stolen key signs anything.
    log: {
      seeds: [line, JSON.stringify({ ...(value as object), seq: 1, prev: '' })],
      async run(bytes) {
        const key = bytes.includes('"writer":"admin"') ? admin : writer.signing;
        const store = new MemoryStore([
          [logRecord(1), signed(key, 'salvor-log-v1', lineOf(bytes))],
          [logRecord(2), document],
        ]);
        const log = new Log(store, trust, vault);
        const { entries, problems, head } = await log.read();
        assert.ok(entries.length + problems.length >= 2);
        assert.equal(head.taken, 2);
        await log.head();
        return problems.map(({ fault }) => fault.name).join();
      },
      foreseen: faults('newer-format'),
    },
    trust: {
      seeds: [JSON.stringify(first), lineOf(stored(trustFile(1)))],
      async run(bytes) {
        const store = new MemoryStore([[trustFile(1), signed(root, 'salvor-vault-v1', lineOf(bytes))]]);
        return (await readTrust(store, vault)).keys.length;
      },
      foreseen: faults('signature-invalid', 'key-invalid', 'newer-format'),
    },
  },
};
