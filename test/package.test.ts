import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { project } from './cli/run.ts';

interface LockedPackage {
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

/** A registry that lacks the packages of another platform makes `npm install` leave them out, and `npm ci` refuses such a file. */
for (const folder of ['.', 'test/clients']) {
  test(`the lock file in ${folder} knows every package, those of other platforms too`, () => {
    const { packages } = JSON.parse(readFileSync(path.join(project, folder, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, LockedPackage>;
    };
    const missing = Object.entries(packages).flatMap(([place, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies }).filter((name) => !found(packages, place, name)),
    );
    assert.deepEqual(missing, []);
  });
}

/** As Node resolves it: in the package's own node_modules, or in one above. */
function found(packages: Record<string, LockedPackage>, place: string, name: string): boolean {
  for (let at = place; ; at = at.slice(0, at.lastIndexOf('node_modules/')).replace(/\/$/, '')) {
    if (`${at === '' ? '' : `${at}/`}node_modules/${name}` in packages) return true;
    if (at === '') return false;
  }
}
