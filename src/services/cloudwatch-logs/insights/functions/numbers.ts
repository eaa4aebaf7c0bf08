/** Functions of numbers. Pure. */
import { compare, toNumber } from "../values.ts";
import type { Value } from "../values.ts";
import { MANY, finite, numeric } from "./scalar.ts";
import type { Functions, ScalarFunction } from "./scalar.ts";

/** Kilometers, as the mean of the earth. */
const EARTH_RADIUS_KM = 6_371;
const DECIMALS_MAX = 100;

const chosen = (wanted: 1 | -1): ScalarFunction => ({
  arguments: [1, MANY],
  apply: (values) =>
    values.reduce((best, value) => {
      const found = compare(value, best);
      return found === undefined ? (best ?? value) : Math.sign(found) === wanted ? value : best;
    }),
});

/** A whole number of so many bits; nothing where it has no room. */
const whole = (bits: 32 | 64): ScalarFunction => ({
  arguments: [1, 1],
  apply: ([value]) =>
    finite(toNumber(value), (number) =>
      Math.abs(number) <= 2 ** (bits - 1) - 1 ? Math.trunc(number) : Number.NaN,
    ),
});

export const NUMBERS: Functions = {
  abs: numeric(Math.abs),
  ceil: numeric(Math.ceil),
  floor: numeric(Math.floor),
  log: numeric(Math.log),
  sqrt: numeric(Math.sqrt),
  greatest: chosen(1),
  least: chosen(-1),
  round: { arguments: [1, 2], apply: round },
  haversine: { arguments: [4, 4], apply: haversine },
  tonumber: numeric((number) => number),
  todouble: numeric((number) => number),
  toint: whole(32),
  tolong: whole(64),
};

function round([value, decimals]: readonly Value[]): Value {
  const places = decimals === undefined ? 0 : Math.trunc(toNumber(decimals) ?? Number.NaN);
  if (!(Math.abs(places) <= DECIMALS_MAX)) return undefined;
  return finite(toNumber(value), (number) => {
    // By its digits, since 1.005 * 100 is less than 100.5.
    const [digits, exponent = "0"] = number.toExponential().split("e");
    const moved = Math.round(Number(`${digits}e${Number(exponent) + places}`));
    const [whole, power = "0"] = moved.toExponential().split("e");
    return Number(`${whole}e${Number(power) - places}`);
  });
}

function haversine(values: readonly Value[]): Value {
  const radians = values.map((value) => {
    const degrees = toNumber(value);
    return degrees === undefined ? Number.NaN : (degrees * Math.PI) / 180;
  });
  const [lat1 = Number.NaN, lon1 = Number.NaN, lat2 = Number.NaN, lon2 = Number.NaN] = radians;
  const [north, east] = [Math.sin((lat2 - lat1) / 2), Math.sin((lon2 - lon1) / 2)];
  const part = north ** 2 + Math.cos(lat1) * Math.cos(lat2) * east ** 2;
  return finite(Math.min(1, part), (share) => 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(share)));
}
