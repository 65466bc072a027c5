import type { Failure } from './failure.ts';

/** Variables that hold a secret. */
const secretVariables = [
  'SALVOR_IDENTITY',
  'SALVOR_WRITER_KEY',
  'SALVOR_ADMIN_KEY',
  'SALVOR_CLIENT_SECRET',
  'SF_ACCESS_TOKEN',
  'SFDX_AUTH_URL',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
];

/** The last line of defence: a failure as it may be shown, without anything that looks like a key or a token, wherever it came from. */
export async function redacted(failure: Failure, environment: NodeJS.ProcessEnv): Promise<Failure> {
  const { redact } = await import('../salesforce/redact.ts');
  const secrets = secretVariables.map((name) => environment[name]?.trim()).filter((value) => value !== undefined);
  const clean = (text: string) =>
    redact(text, secrets).replace(
      /(AGE-SECRET-KEY-|AGE-PLUGIN-[A-Z0-9-]+-|SALVOR-[A-Z]+-KEY-)1[0-9A-Za-z]+/g,
      '$1[secret]',
    );
  return cleaned(failure, clean) as Failure;
}

function cleaned(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === 'string') return clean(value);
  if (Array.isArray(value)) return value.map((item) => cleaned(item, clean));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cleaned(item, clean)]));
}
