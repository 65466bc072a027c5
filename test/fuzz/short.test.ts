import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { inputOf } from './corpus.ts';
import { fuzz, replay } from './fuzz.ts';
import { mutations } from './mutate.ts';
import { parsers } from './parsers.ts';

/** The short form; `node test/fuzz/run.ts` runs the long one. */
for (const parser of parsers) {
  test(`${parser}: everything of the corpus and some hundred mutations end as they should`, {
    timeout: 300_000,
  }, async () => {
    const { findings, ways, mutations: used, inputs } = await fuzz(parser, { seed: 1, inputs: 250 });
    assert.deepEqual(findings, []);
    assert.equal(inputs, 250);
    assert.equal(
      Object.values(ways).reduce((sum, one) => sum + one, 0),
      250,
    );
    assert.deepEqual(Object.keys(used).sort(), Object.keys(mutations).sort());
  });
}

test('fuzzing finds what is four branches deep, and leaves nothing in it that is not needed', async () => {
  const { findings } = await fuzzed('specimen', 30_000);
  assert.equal(findings.length, 1);
  assert.match(findings[0]!.what, /^TypeError: four letters deep/);
  assert.equal(findings[0]!.input, 'Fuz!');
});

test('fuzzing tells what takes too long, takes too much memory, and does not end', async () => {
  const { findings } = await fuzzed('costly-specimen', 0, 20_000);
  assert.deepEqual(
    findings.map(({ way, kind }) => [way, kind]),
    [
      ['slow', 'hang'],
      ['large', 'memory'],
      ['endless', 'hang'],
    ],
  );
});

/** Fuzzes a specimen beside a corpus of its own. */
async function fuzzed(specimen: string, inputs: number, patience?: number) {
  const corpus = await mkdtemp(path.join(tmpdir(), 'salvor-fuzz-'));
  try {
    const url = new URL(`./${specimen}.ts`, import.meta.url).href;
    const { findings } = await fuzz(specimen, { seed: 1, inputs, corpus, patience }, url);
    return { findings: findings.map((one) => ({ ...one, input: inputOf(one.file).input.bytes.toString() })) };
  } finally {
    await rm(corpus, { recursive: true, force: true });
  }
}

test('an input is run again from its file', async () => {
  const { parser, input } = inputOf(path.join(import.meta.dirname, 'corpus/responses/xml/crash-code-point'));
  assert.equal(parser, 'responses');
  assert.equal(input.way, 'xml');
  assert.equal(await replay(parser, input), undefined);
});
