/** A query as it was read. */

export type Expression =
  | { readonly kind: "literal"; readonly value: string | number }
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "regex"; readonly regex: RegExp }
  | { readonly kind: "duration"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "negative"; readonly of: Expression }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | {
      readonly kind: "call";
      /** In lower case. */
      readonly name: string;
      readonly arguments: readonly Expression[];
      readonly start: number;
      readonly end: number;
    };

export type BinaryOperator =
  | "and"
  | "or"
  | "="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "like"
  | "in"
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "^";

/** An expression and the name of the column that it makes. */
export interface Column {
  readonly expression: Expression;
  readonly name: string;
}

export interface SortKey {
  readonly expression: Expression;
  readonly descending: boolean;
}

export type Command =
  | { readonly kind: "fields" | "display"; readonly columns: readonly Column[] }
  | { readonly kind: "filter"; readonly condition: Expression }
  | { readonly kind: "parse"; readonly from: Expression; readonly pattern: ParsePattern }
  | { readonly kind: "stats"; readonly aggregates: readonly Column[]; readonly by: readonly Column[] }
  | { readonly kind: "sort"; readonly keys: readonly SortKey[] }
  | {
      readonly kind: "limit";
      readonly count: number;
      /** Whichever come first: the search may end with them. */
      readonly isAny: boolean;
    }
  | { readonly kind: "dedup"; readonly fields: readonly Column[] };

export type ParsePattern =
  | { readonly kind: "glob"; readonly pieces: readonly string[]; readonly names: readonly string[] }
  | {
      readonly kind: "regex";
      readonly regex: RegExp;
      /** Of its groups, in their order; undefined where the groups have names. */
      readonly names: readonly string[] | undefined;
      /** Each match makes a record. */
      readonly isMulti: boolean;
    }
  | { readonly kind: "logfmt"; readonly name: string }
  | { readonly kind: "csv"; readonly names: readonly string[] }
  | { readonly kind: "path"; readonly path: string; readonly name: string };
