import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { project } from './cli/run.ts';
import { parsers } from './fuzz/parsers.ts';

interface LockedPackage {
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

type Packages = Readonly<Record<string, LockedPackage>>;

function lockOf(folder: string): Packages {
  return JSON.parse(readFileSync(path.join(project, folder, 'package-lock.json'), 'utf8')).packages;
}

/** A registry that lacks the packages of another platform makes `npm install` leave them out, and `npm ci` refuses such a file. */
for (const folder of ['.', 'test/clients']) {
  test(`the lock file in ${folder} knows every package, those of other platforms too`, () => {
    const packages = lockOf(folder);
    const missing = Object.entries(packages).flatMap(([place, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !found(packages, place, name)),
    );
    assert.deepEqual(missing, []);
  });
}

/** The place of a package as Node resolves it: in the package's own node_modules, or in one above. */
function found(packages: Packages, place: string, name: string): string | undefined {
  for (let at = place; ; at = at.slice(0, at.lastIndexOf('node_modules/')).replace(/\/$/, '')) {
    const there = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (there in packages) return there;
    if (at === '') return undefined;
  }
}

/** Places of these packages and of all that they bring. */
function withAllBelow(packages: Packages, names: readonly string[]): Set<string> {
  const places = new Set<string>();
  const open = names.map((name) => found(packages, '', name)!);
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (places.has(place)) continue;
    places.add(place);
    const { dependencies, optionalDependencies } = packages[place]!;
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      open.push(found(packages, place, name)!);
    }
  }
  return places;
}

describe('what is installed with salvor', () => {
  const packages = lockOf('.');
  const { dependencies, optionalDependencies } = packages['']!;
  const needed = withAllBelow(packages, Object.keys(dependencies!));
  const brought = withAllBelow(packages, Object.keys(optionalDependencies!));
  const wanted = new Set([...brought].filter((place) => !needed.has(place)));
  const contributing = readFileSync(path.join(project, 'CONTRIBUTING.md'), 'utf8');

  test('every package is there for a reason that CONTRIBUTING.md gives', () => {
    const lines = contributing.split('\n').filter((line) => line.startsWith('| '));
    const table = lines.map((line) => line.split('|').map((cell) => cell.trim()));
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const line = table.find(([, names]) => names!.replace(' (optional)', '').split(', ').includes(name));
      assert.ok(line !== undefined && line[2] !== '', `${name} has no line in the table`);
    }
  });

  test('CONTRIBUTING.md says how many packages they bring', () => {
    const s3 = withAllBelow(packages, ['@aws-sdk/client-s3']);
    const others = [...needed].filter((place) => !s3.has(place)).length;
    const figures = `${s3.size} packages for S3 and ${others} for all else, and keytar ${wanted.size} more`;
    assert.ok(contributing.includes(figures), `CONTRIBUTING.md does not say: ${figures}`);
  });

  test('none of them runs anything when it is installed, but keytar, which nothing needs', () => {
    const scripted = (places: ReadonlySet<string>) => [...places].filter((place) => packages[place]!.hasInstallScript);
    assert.deepEqual(scripted(needed), []);
    assert.deepEqual(scripted(wanted), ['node_modules/keytar']);
    assert.deepEqual(Object.keys(optionalDependencies!), ['keytar']);
  });

  test('the lock file has a strong digest of every package', () => {
    const weak = Object.entries(packages).filter(
      ([place, { integrity = '' }]) => place !== '' && !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity),
    );
    assert.deepEqual(
      weak.map(([place]) => place),
      [],
    );
  });
});

test('a release is built from pinned actions, twice with the same result, with an SBOM and provenance', () => {
  const workflow = readFileSync(path.join(project, '.github/workflows/release.yml'), 'utf8');
  const actions = [...workflow.matchAll(/uses: (\S+)/g)].map(([, name]) => name!);
  assert.ok(actions.length > 0);
  for (const action of actions) assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  for (const step of ['npm audit', 'npm sbom --sbom-format cyclonedx', 'npm publish --provenance', 'cmp '])
    assert.ok(workflow.includes(step), step);
  assert.match(
    workflow,
    /gh release create .* salvor\.cdx\.json SHA256SUMS$/m,
    'the SBOM is there as long as the release is',
  );
  assert.ok(workflow.includes(`parser: [${parsers.join(', ')}]`), 'every parser is fuzzed');
});
