import { bech32 } from '@scure/base';
import { parseWriterKey } from '../../src/age/keys.ts';
import { sha256, signDocument } from '../../src/vault/signed.ts';

/** The blocks of FORMAT.md's example, by the language tag of their fence; each ends in LF. */
export function formatExample(): Record<string, string> {
  const bytes = Buffer.from(Array.from({ length: 64 }, (_, i) => i));
  const writerKey = bech32.encode('salvor-writer-key-', bech32.toWords(bytes), false).toUpperCase();
  const record = signDocument(parseWriterKey(writerKey).signing, 'salvor-log-v1', {
    v: 1,
    kind: 'point',
    vault: '3f0c1c1e-0000-4000-8000-000000000001',
    seq: 2,
    prev: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    point: '20261122T224100Z-0a1b2c',
    refs: {
      key: 'points/20261122T224100Z-0a1b2c/refs.zst',
      size: 1234,
      sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    },
    epoch: 1,
    started: '2026-11-22T22:41:00.000Z',
    ended: '2026-11-22T22:52:30.000Z',
    writer: 'writer-1',
    tool: 'salvor 0.1.0',
  });
  const lines = record.subarray(0, 64).toString('hex').match(/.{32}/g)!;
  return {
    'writer-key': `${writerKey}\n`,
    record: record.toString('latin1'),
    hex: lines
      .map((line, i) => `${(i * 16).toString(16).padStart(8, '0')}  ${line.match(/../g)!.join(' ')}\n`)
      .join(''),
    sha256: `${sha256(record)}\n`,
  };
}
