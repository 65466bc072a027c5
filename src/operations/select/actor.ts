import { Fault } from '../../errors.ts';
import { cells } from '../../rows/cells.ts';
import type { Org } from '../../salesforce/org.ts';
import { longId, looksLikeId } from '../../schema/ids.ts';

/** A user of the org. */
export interface Actor {
  /** 18 characters. */
  readonly id: string;
  readonly name: string;
}

const fields = ['Id', 'Username', 'Name'];

/**
 * The user that a person means by an Id, a username or a full name; inactive ones too, and those of integrations and apps. Throws `usage` when
 * there is none, or more than one of that name.
 */
export async function findActor(org: Org, text: string): Promise<Actor> {
  if (looksLikeId(text) && text.startsWith('005')) return { id: longId(text), name: text };
  const literal = `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
  const users = org.extract({
    object: 'User',
    plan: { way: 'rest', fields, blobFields: [], leftOut: [] },
    where: `Username = ${literal} OR Name = ${literal}`,
    all: false,
    rowsExpected: 1,
  });
  const found: { id: string; username: string; name: string }[] = [];
  for await (const batch of users.batches) {
    for (const row of batch.ends.keys()) {
      const [id = '', username = '', name = ''] = cells(batch, row);
      found.push({ id, username, name });
    }
  }
  const exact = found.filter(({ username }) => username.toLowerCase() === text.toLowerCase());
  const [user, ...more] = exact.length > 0 ? exact : found;
  if (!user) throw new Fault('usage', `the org has no user ${text}`, { actions: ['name the user by username or Id'] });
  if (more.length > 0) {
    const usernames = [user, ...more].slice(0, 5).map(({ username }) => username);
    throw new Fault('usage', `${more.length + 1} users of the org are named ${text}`, {
      actions: [`choose one: ${usernames.join(', ')}`],
    });
  }
  return { id: longId(user.id), name: user.name };
}
