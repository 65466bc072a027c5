const patterns: readonly (readonly [RegExp, string])[] = [
  // An access token in its opaque form: org Id, `!`, the session (field guide, extract 1.2).
  [/00D[A-Za-z0-9]{12,15}(?:!|%21)[A-Za-z0-9._%-]+/g, '[token]'],
  // A JWT, as an access token or as an assertion. Its header is short: without a bound a word full of beginnings is read from each of them.
  [/eyJ[A-Za-z0-9_-]{10,4096}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g, '[token]'],
  [/force:\/\/[^\s"']+/g, '[login url]'],
  [/5Aep[A-Za-z0-9._]{20,}/g, '[token]'],
  [/(Bearer|OAuth)\s+[^\s"',]+/gi, '$1 [token]'],
  [
    /(\b(?:access_token|refresh_token|client_secret|assertion|password|code|code_verifier|sid)(?:=|"\s*:\s*"))[^&\s"]+/gi,
    '$1[secret]',
  ],
];

/** `text` without anything that looks like a token, and without any of `secrets`. */
export function redact(text: string, secrets: Iterable<string> = []): string {
  let clean = text;
  for (const secret of secrets) if (secret.length >= 8) clean = clean.replaceAll(secret, '[secret]');
  for (const [pattern, instead] of patterns) clean = clean.replace(pattern, instead);
  return clean;
}
