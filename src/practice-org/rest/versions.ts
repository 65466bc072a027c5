import { type Answer, json } from '../answer.ts';
import { notFound, Refusal } from '../refusal.ts';
import type { OrgState } from '../state.ts';

/** 21 to 30 were retired in Summer '25 (extract 1.6); those before long ago. */
const oldest = 31;

/** 31.0 came with Summer '14; three releases a year. */
function label(version: number): string {
  const release = version - oldest;
  const season = ["Summer '", "Winter '", "Spring '"][release % 3]!;
  return season + String(14 + Math.ceil(release / 3)).padStart(2, '0');
}

/** GET /services/data: no login, not counted. */
export function listVersions(state: OrgState): Answer {
  const versions = [];
  for (let version = oldest; version <= state.settings.newestVersion; version += 1)
    versions.push({ label: label(version), url: `/services/data/v${version}.0`, version: `${version}.0` });
  return { ...json(versions), calls: 0 };
}

/** Throws 410 for a retired version, 404 for one that does not exist. */
export function checkVersion(state: OrgState, version: string): void {
  const number = /^\d+\.0$/.test(version) ? Number(version) : 0;
  if (number < 1 || number > state.settings.newestVersion) throw notFound();
  if (number < oldest)
    throw new Refusal(410, 'UNSUPPORTED_API_VERSION', `API version ${version} is no longer supported`);
}

/** GET /services/data/vXX.0: where things are. */
export function listResources(state: OrgState, { version }: { version: string }): Answer {
  const base = `/services/data/v${version}`;
  const names = ['sobjects', 'query', 'queryAll', 'limits', 'composite', 'jobs'];
  const { organizationId, userId } = state.database.facts;
  return json({
    ...Object.fromEntries(names.map((name) => [name, `${base}/${name}`])),
    identity: `${state.url}/id/${organizationId}/${userId}`,
  });
}
