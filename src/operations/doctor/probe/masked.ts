import type { OrgIdentity } from '../../../salesforce/org.ts';

const longest = 1500;

/** Fifteen or eighteen letters and digits that look like an Id of Salesforce. */
const idLike = /\b([A-Za-z0-9]{3})(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?\b/g;

/** Makes a text fit to be sent in: without host, user, name of the org, what is in `hidden`, tokens and Ids (of which the three letters of the kind stay), and short. */
export function masking(
  { instanceUrl, username, organizationName }: OrgIdentity,
  hidden: ReadonlyMap<string, string>,
): (text: string) => string {
  const names: [string, string][] = [
    [instanceUrl, 'https://org'],
    [new URL(instanceUrl).host, 'org'],
    [username, 'user'],
    [organizationName, 'org name'],
  ];
  return (text) => {
    let masked = text.replaceAll(/<sessionId>[^<]*<\/sessionId>/g, '<sessionId>…</sessionId>');
    for (const [name, word] of [...names, ...hidden]) if (name !== '') masked = masked.replaceAll(name, word);
    masked = masked.replaceAll(idLike, (id, kind: string) => (/\d.*\d.*\d/.test(id) ? `${kind}…` : id));
    return masked.length > longest ? `${masked.slice(0, longest)}… (${masked.length} characters)` : masked;
  };
}
