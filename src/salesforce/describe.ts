import { Fault } from '../errors.ts';
import type { ObjectDescribe, ObjectSummary } from '../schema/describe.ts';
import { composite, groups, inParallel, type Part, single } from './composite.ts';
import { faultOf } from './faults.ts';
import type { NotDescribed } from './org.ts';
import type { Wire } from './wire.ts';

/** describeGlobal (field guide, extract 2.2). */
export async function describeGlobal(wire: Wire): Promise<ObjectSummary[]> {
  const answer = (await wire.http.json({ what: 'the list of objects', url: `${wire.root}/sobjects` })) as {
    sobjects?: ObjectSummary[];
  };
  if (!Array.isArray(answer?.sobjects)) throw new Fault('org-unavailable', 'The list of objects holds no objects.');
  return answer.sobjects;
}

/** Describes in one answer: 25 of them can pass 10 MB (field guide, extract 2.3). */
const perCall = 25;

/** Describes objects, 25 to a call, two calls at a time; one by one where a composite is refused or a part of it fails. */
export async function describeObjects(
  wire: Wire,
  names: readonly string[],
): Promise<Map<string, ObjectDescribe | NotDescribed>> {
  const url = (name: string) => `${wire.root}/sobjects/${encodeURIComponent(name)}/describe`;
  const answers = await inParallel(groups(names, perCall), 2, async (group) => {
    const what = `the describe of ${group.length} objects from ${group[0]} on`;
    const parts = group.length > 1 ? await composite(wire, group.map(url), what) : undefined;
    const found: (ObjectDescribe | NotDescribed)[] = [];
    for (const [i, name] of group.entries()) {
      let part = parts?.[i];
      // What is wrong with the moment rather than with the object goes away when asked again.
      if (!part || ('refusal' in part && isPassing(part)))
        part = await single(wire, url(name), `the describe of ${name}`);
      found.push(describeFrom(part, name));
    }
    return found;
  });
  const flat = answers.flat();
  return new Map(names.map((name, i) => [name, flat[i]!]));
}

function isPassing(part: Part): boolean {
  if (!('refusal' in part)) return false;
  const { status } = part.refusal;
  return status === 401 || status === 403 || status === 406 || status === 420 || status === 429 || status >= 500;
}

function describeFrom(part: Part, name: string): ObjectDescribe | NotDescribed {
  if ('refusal' in part) {
    const { message, data } = faultOf(part.refusal, `the describe of ${name}`);
    return { reason: message, never: part.refusal.status === 404 || data.never === true };
  }
  const describe = part.body as ObjectDescribe | null;
  if (!describe || !Array.isArray(describe.fields))
    return { reason: `The describe of ${name} holds no fields.`, never: false };
  return describe;
}
