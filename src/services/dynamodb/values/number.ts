/** DynamoDB numbers: exact decimals of up to 38 significant digits, magnitude 1E-130 to 9.99…E+125. */

/** The value `±d.ddd × 10^exponent`; `digits` has no leading or trailing zeros and is empty for zero. */
export interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

export const SIGNIFICANT_DIGITS_MAX = 38;
export const EXPONENT_MAX = 125;
export const EXPONENT_MIN = -130;

const INTEGER_FORM = /^(?:0|-?[1-9][0-9]{0,37})$/;
const NUMBER_FORM = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/;
/** An exponent outside a 64-bit integer cannot be converted at all; inside it, the range is checked. */
const EXPONENT_BITS_MAX = 2n ** 63n;

/** Why a text is no DynamoDB number. */
export type NumberFault = "not-numeric" | "overflow" | "underflow" | "precision";

/** Reads a number's text, or says what is wrong with it. */
export function parseNumber(text: string): Decimal | NumberFault {
  const form = NUMBER_FORM.exec(text);
  if (!form) return "not-numeric";
  const [, sign, whole = "", fraction = "", power = "0"] = form;
  if (whole === "" && fraction === "") return "not-numeric";
  const wide = BigInt(power.startsWith("+") ? power.slice(1) : power);
  if (wide >= EXPONENT_BITS_MAX || wide < -EXPONENT_BITS_MAX) return "not-numeric";
  const all = whole + fraction;
  const leading = /^0*/.exec(all)?.[0].length ?? 0;
  const digits = all.slice(leading).replace(/0+$/, "");
  const shift = Number(wide);
  // AWS checks a zero by the exponent it is written with.
  const exponent = digits === "" ? shift : whole.length - 1 - leading + shift;
  if (exponent > EXPONENT_MAX) return "overflow";
  if (exponent < EXPONENT_MIN) return "underflow";
  if (digits.length > SIGNIFICANT_DIGITS_MAX) return "precision";
  if (digits === "") return ZERO;
  return { negative: sign === "-", digits, exponent };
}

export const ZERO: Decimal = { negative: false, digits: "", exponent: 0 };

/** Reads a text that has been validated. */
export function decimal(text: string): Decimal {
  const parsed = parseNumber(text);
  if (typeof parsed === "string") throw new Error(`a number got past validation: ${text}`);
  return parsed;
}

/** Whether a text is already the one AWS would store, for the common case of an integer. */
export function isCanonicalInteger(text: string): boolean {
  return INTEGER_FORM.test(text);
}

/** The text AWS stores and returns: no exponent, no superfluous zeros. */
export function formatNumber({ negative, digits, exponent }: Decimal): string {
  if (digits === "") return "0";
  const sign = negative ? "-" : "";
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits + "0".repeat(exponent + 1 - digits.length);
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** Orders two decimals: negative, zero or positive. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const signs = signOf(a) - signOf(b);
  if (signs !== 0) return signs;
  if (a.digits === "") return 0;
  const direction = a.negative ? -1 : 1;
  if (a.exponent !== b.exponent) return direction * (a.exponent - b.exponent);
  if (a.digits === b.digits) return 0;
  return direction * (a.digits < b.digits ? -1 : 1);
}

/** Adds exactly. The sum may be out of range or have too many digits: the caller asks {@link faultOf}. */
export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const scale = Math.min(unitExponent(a), unitExponent(b));
  return fromScaled(scaled(a, scale) + scaled(b, scale), scale);
}

/** The number with its sign turned. */
export function negate(a: Decimal): Decimal {
  return a.digits === "" ? a : { ...a, negative: !a.negative };
}

/** Why a computed number cannot be stored, if it cannot. */
export function faultOf(a: Decimal): NumberFault | undefined {
  if (a.digits === "") return undefined;
  if (a.exponent > EXPONENT_MAX) return "overflow";
  if (a.exponent < EXPONENT_MIN) return "underflow";
  return a.digits.length > SIGNIFICANT_DIGITS_MAX ? "precision" : undefined;
}

function signOf(a: Decimal): number {
  if (a.digits === "") return 0;
  return a.negative ? -1 : 1;
}

/** The exponent of the last digit. */
function unitExponent(a: Decimal): number {
  return a.digits === "" ? 0 : a.exponent - a.digits.length + 1;
}

function scaled(a: Decimal, scale: number): bigint {
  if (a.digits === "") return 0n;
  const magnitude = BigInt(a.digits) * 10n ** BigInt(unitExponent(a) - scale);
  return a.negative ? -magnitude : magnitude;
}

function fromScaled(value: bigint, scale: number): Decimal {
  if (value === 0n) return ZERO;
  const negative = value < 0n;
  const all = (negative ? -value : value).toString();
  return { negative, digits: all.replace(/0+$/, ""), exponent: scale + all.length - 1 };
}
