import path from 'node:path';

/** Environment of every `salvor` that a test starts: thousands compile the same sources. `npm test` names the same folder. */
export const compiled = {
  NODE_COMPILE_CACHE: path.resolve(import.meta.dirname, '../../node_modules/.cache/compiled'),
};
