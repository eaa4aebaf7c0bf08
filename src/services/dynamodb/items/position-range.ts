/** The positions in a partition that a condition on the sort key means. */
import type { Comparison } from "../legacy/conditions.ts";
import { afterPrefix, encodeKeyValue, encodeSegment, escapeZeros } from "../values/key-encoding.ts";
import type { AttributeValue } from "../values/value.ts";

export interface Positions {
  readonly from: Uint8Array;
  /** Undefined: to the end of the partition. */
  readonly to: Uint8Array | undefined;
}

/** How values of the sort key lie among positions: in tables a position is the value, in indexes it begins with it. */
interface Layout {
  /** The first position with this value or a greater one. */
  at(value: Uint8Array): Uint8Array;
  /** The first position with a greater value. */
  past(value: Uint8Array): Uint8Array;
  /** What all positions whose value begins with this begin with. */
  prefix(value: Uint8Array): Uint8Array;
}

const TABLE: Layout = {
  at: (value) => value,
  past: (value) => Buffer.concat([value, Buffer.from([0])]),
  prefix: (value) => value,
};

const INDEX: Layout = {
  at: (value) => encodeSegment(value),
  past: (value) => Buffer.concat([escapeZeros(value), Buffer.from([0, 1])]),
  prefix: (value) => escapeZeros(value),
};

const START: Uint8Array = new Uint8Array();

/** The positions of the values that satisfy the comparison; all without one. */
export function positionsOf(comparison: Comparison | undefined, isIndex: boolean): Positions {
  if (!comparison) return { from: START, to: undefined };
  const layout = isIndex ? INDEX : TABLE;
  const value = encodeKeyValue(comparison.values[0] as AttributeValue);
  switch (comparison.operator) {
    case "EQ":
      return { from: layout.at(value), to: layout.past(value) };
    case "LT":
      return { from: START, to: layout.at(value) };
    case "LE":
      return { from: START, to: layout.past(value) };
    case "GT":
      return { from: layout.past(value), to: undefined };
    case "GE":
      return { from: layout.at(value), to: undefined };
    case "BETWEEN":
      return {
        from: layout.at(value),
        to: layout.past(encodeKeyValue(comparison.values[1] as AttributeValue)),
      };
    case "BEGINS_WITH":
      return { from: layout.prefix(value), to: afterPrefix(layout.prefix(value)) };
    default:
      throw new Error(`a query by ${comparison.operator} got past validation`);
  }
}

/** The positions that come after `position` in the direction of reading. */
export function positionsAfter(positions: Positions, position: Uint8Array, isForward: boolean): Positions {
  if (isForward) return { from: TABLE.past(position), to: positions.to };
  return { from: positions.from, to: position };
}
