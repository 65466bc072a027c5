/** A decimal number, exactly: `sign` 0.d₁d₂d₃… × 10^`exponent`, without zeros at either end of `digits`; zero has none. */
export interface Decimal {
  readonly sign: -1 | 0 | 1;
  readonly digits: string;
  readonly exponent: number;
}

/** An exponent of more digits is counted in no number of JavaScript exactly. */
const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;

/** The number that stands in a cell or an answer (`100`, `100.0`, `1.0E2`, `.5`); undefined for any other text. */
export function decimal(text: string): Decimal | undefined {
  const found = pattern.exec(text.trim());
  if (!found) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = found;
  if (whole === '' && fraction === '') return undefined;
  const all = whole + fraction;
  const digits = all.replace(/^0+/, '');
  if (digits === '') return { sign: 0, digits: '', exponent: 0 };
  const leading = all.length - digits.length;
  // By hand: a pattern would look at each run of zeros again for each of its zeros.
  let end = digits.length;
  while (digits[end - 1] === '0') end -= 1;
  return {
    sign: sign === '-' ? -1 : 1,
    digits: digits.slice(0, end),
    exponent: Number(exponent) + whole.length - leading,
  };
}

/** Below, at or above zero as `a` is less than, equal to or greater than `b`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  if (a.sign !== b.sign) return a.sign - b.sign;
  const order = a.exponent - b.exponent || (a.digits < b.digits ? -1 : a.digits > b.digits ? 1 : 0);
  return a.sign * order;
}

/** The one text of a number: `0`, `-0.1e3`. */
export function decimalText({ sign, digits, exponent }: Decimal): string {
  return sign === 0 ? '0' : `${sign < 0 ? '-' : ''}0.${digits}e${exponent}`;
}
