import assert from 'node:assert/strict';
import { commands } from '../../../src/cli/commands.ts';
import { checkConfig } from '../../../src/cli/config-schema.ts';
import { milliseconds, span } from '../../../src/cli/durations.ts';
import { nearest } from '../../../src/cli/nearest.ts';
import { isFault } from '../../../src/errors.ts';
import { checkedOrigin } from '../../../src/salesforce/hosts.ts';
import { redact } from '../../../src/salesforce/redact.ts';
import { decimal, decimalText } from '../../../src/schema/decimal.ts';
import { longId, looksLikeId } from '../../../src/schema/ids.ts';
import { matchesAny } from '../../../src/schema/pattern.ts';
import { canonicalValue, sameValue } from '../../../src/schema/values.ts';
import { isKey } from '../../../src/store/key.ts';
import { parseS3Url } from '../../../src/store/s3-url.ts';
import { faults, type Parser } from '../parser.ts';

const names = ['Account', 'Custom_Object_With_A_Long_Name__c', 'a'.repeat(80)];
const types = ['int', 'double', 'date', 'datetime', 'time', 'boolean', 'id', 'multipicklist', 'string'];

export const parser: Parser = {
  sources: ['src/cli', 'src/schema', 'src/store', 'src/salesforce/hosts.ts', 'src/salesforce/redact.ts'],
  words: [
    ...[
      's3://',
      'bucket',
      '/',
      '?',
      '&',
      '=',
      '%2F',
      '%',
      'region',
      'endpoint=',
      'https://',
      'http://127.0.0.1',
      '@',
      ':',
      '..',
    ],
    ...[
      'sse=aws:kms',
      'kmsKeyId=',
      'objectLock=COMPLIANCE',
      'retainDays=',
      'forcePathStyle=true',
      'amazonaws.com',
      '[::1]',
    ],
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      'null',
      'true',
      '"',
      '"orgs":',
      '"login":',
      '"notify":',
      '"alerts":',
      '"copies":',
      '__proto__',
    ],
    ...[
      '*',
      'a*',
      '?',
      '.',
      '\\',
      '^',
      '$',
      '(',
      '__c',
      's',
      'm',
      'h',
      'd',
      'w',
      '1e5',
      '00',
      'T10:00:00Z',
      '+02:00',
      'eyJ',
      '00D',
    ],
  ],
  ways: {
    's3-url': {
      seeds: [
        's3://bucket/prefix/b?region=eu-central-1&endpoint=https://s3.example.com&sse=aws:kms&kmsKeyId=k',
        's3://bucket?objectLock=COMPLIANCE&retainDays=35&checksums=when_required&forcePathStyle=true',
      ],
      run(bytes) {
        const place = parseS3Url(bytes.toString(), {});
        // A place that was tidied is the same place.
        assert.deepEqual(parseS3Url(place.url, {}), place);
        return `${place.sse} ${place.retention?.mode} ${place.forcePathStyle}`;
      },
      foreseen: faults('usage'),
    },
    key: {
      seeds: ['points/20261123T234928Z-adb687/refs.zst', 'con', 'a/../b'],
      run: (bytes) => isKey(bytes.toString()),
      foreseen: () => false,
    },
    duration: {
      seeds: ['90s', '1.5h', '35d', '8w'],
      run(bytes) {
        const read = [milliseconds, span].map((one) => {
          try {
            const ms = one('flag', bytes.toString());
            assert.ok(Number.isFinite(ms) && ms >= 0);
            return 'yes';
          } catch (error) {
            if (isFault(error, 'usage')) return 'no';
            throw error;
          }
        });
        return read.join();
      },
      foreseen: () => false,
    },
    pattern: {
      seeds: ['*__c', 'Acc*t', '*'],
      run: (bytes) => names.map((name) => matchesAny(name, bytes.toString().split(','))).join(),
      foreseen: () => false,
    },
    config: {
      seeds: [
        '{"vault":"s3://b/a","copies":["/mnt/b"],"orgs":{"a":{"vault":"b","login":{"clientId":"x"}}},"backup":{"accept":[{"object":"A","reason":"failed","owner":"o","until":"2026-01-01"}]}}',
        '{"notify":[{"kind":"webhook","url":"https://example.com"}],"alerts":[{"objects":["*"],"deleted":{"count":5}}],"allowedRegions":["eu"]}',
      ],
      run(bytes) {
        return Object.keys(checkConfig(JSON.parse(bytes.toString()), 'a file', commands)).length;
      },
      foreseen: (error) => isFault(error, 'config-invalid') || error instanceof SyntaxError,
    },
    origin: {
      seeds: ['https://example.my.salesforce.com/a', 'example.lightning.force.com', 'http://127.0.0.1:8080'],
      run: (bytes) => checkedOrigin(bytes.toString()).startsWith('https:'),
      foreseen: faults('login-failed', 'usage'),
    },
    value: {
      seeds: ['100.0', '1.5E3', '2026-11-20T10:00:00.000+0000', '10:20:30.5Z', 'a;b;a', '0015e00000AbCdE'],
      run(bytes) {
        const text = bytes.toString();
        for (const type of types) {
          const canonical = canonicalValue({ type }, text);
          assert.equal(canonicalValue({ type }, canonical), canonical, type);
          assert.ok(sameValue({ type }, text, text));
        }
        if (looksLikeId(text)) longId(text);
        const number = decimal(text);
        return number && decimalText(number).length > 0;
      },
      foreseen: () => false,
    },
    text: {
      seeds: ['Bearer 00D000000000001!AQ and refresh_token=abc eyJhbGciOiJI.eyJpc3Mi.x', 'vualt'],
      run(bytes) {
        const text = bytes.toString();
        nearest(text.slice(0, 200), ['vault', 'copies']);
        return redact(text, ['a secret of it']).length > 0;
      },
      foreseen: () => false,
    },
  },
};
