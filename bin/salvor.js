#!/usr/bin/env node
// Plain JavaScript that old Nodes can read, so that they hear what is missing instead of a syntax error.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const oldest = [22, 19];

/** Whoever prints is told of an error with what was printed: unheard it would end the work that goes on beside it. */
function leaveErrorsToPrinters(stream) {
  stream.on('error', () => {});
}

/** The lost end of a pipe is no error of ours. */
function printVersion(version) {
  process.stdout.write(`${version}\n`, (error) => {
    if (!error || error.code === 'EPIPE') return;
    process.stderr.write(`disk-error: the version could not be printed: ${error.code}\n`);
    process.exitCode = 74;
  });
}

function start() {
  // npm runs scripts in the folder of the package; a command is for the folder in which somebody typed it.
  const { npm_lifecycle_event: script, INIT_CWD: typedIn } = process.env;
  if (script === 'salvor' && typedIn) process.chdir(typedIn);
  leaveErrorsToPrinters(process.stdout);
  leaveErrorsToPrinters(process.stderr);
  if (process.argv.length === 3 && process.argv[2] === '--version') {
    const about = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    printVersion(about.version);
    return;
  }
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    process.stderr.write(
      `usage: salvor needs Node ${oldest.join('.')} or newer, and this is ${process.version}\n` +
        '  try: install a newer Node, or in a checkout of salvor: npm run salvor -- <command>\n',
    );
    process.exitCode = 2;
    return;
  }
  // a checkout runs its sources; the package holds what was built from them
  const source = new URL('../src/cli/main.ts', import.meta.url);
  const main = existsSync(fileURLToPath(source)) ? source : new URL('../dist/cli/main.js', import.meta.url);
  if (main === source) muteTypeStripping();
  keepCompiled();
  collectBuffersEarly();
  import(main.href).then((program) => program.main(process.argv.slice(2))).then(end);
}

/**
 * Everything is done and printed. process.exit() joins V8's compilers while these may wait for a collection that nobody makes any more (nodejs/node#54918), and
 * never returns then; a process that ends by itself releases them. Whatever still keeps it is cut off when they have long finished.
 */
function end(exit) {
  process.exitCode = exit;
  // What is left of work that was given up changes the outcome no more.
  process.on('uncaughtException', () => {});
  setTimeout(() => process.exit(exit), 1000).unref();
}

/**
 * Rows pass through memory outside V8's heap. A young generation that stays small is collected before much of that piles up,
 * and the few collections of the whole heap cost less at once than in steps beside the work.
 */
function collectBuffersEarly() {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--no-incremental-marking');
}

/** Half of what a start takes is compiling, which is kept beside the points that `list-points` knows; no disk, no matter. */
function keepCompiled() {
  const { NODE_COMPILE_CACHE: elsewhere, XDG_CACHE_HOME, LOCALAPPDATA, HOME } = process.env;
  if (elsewhere) return;
  const windows = process.platform === 'win32' && LOCALAPPDATA;
  const kept = path.join(XDG_CACHE_HOME || windows || path.join(HOME || homedir(), '.cache'), 'salvor', 'compiled');
  // Somebody without a home has no cache in the folder of the moment either.
  if (!path.isAbsolute(kept)) return;
  try {
    makeFolders(kept);
    module.enableCompileCache(kept);
  } catch {
    // a home that cannot be written
  }
}

/** Node's own way to make those above too never ends where nothing can be made in one that is there, as in what an automounter serves. */
function makeFolders(name) {
  try {
    mkdirSync(name, { mode: 0o700 });
  } catch (error) {
    if (error.code === 'EEXIST') return;
    if (error.code !== 'ENOENT' || path.dirname(name) === name) throw error;
    makeFolders(path.dirname(name));
    mkdirSync(name, { mode: 0o700 });
  }
}

/** Node 22 warns that it strips types; people who run a checkout know. */
function muteTypeStripping() {
  const listeners = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === 'ExperimentalWarning' && /strip/i.test(warning.message)) return;
    for (const listener of listeners) listener.call(process, warning);
  });
}

start();
