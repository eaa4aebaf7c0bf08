/** Walks over the tokens of a statement, and reads what all its parts are made of: names, paths and values. */
import { invalid } from "../errors.ts";
import type { Path } from "../expressions/tree.ts";
import { validateValue } from "../values/validate.ts";
import type { AttributeValue, Attributes } from "../values/value.ts";
import { emptyAttributes } from "../values/value.ts";
import { notWellFormed } from "./faults.ts";
import { tokensOf } from "./lexer.ts";
import type { Token } from "./lexer.ts";

/** Words that are no attribute unless they are quoted. */
const KEYWORDS: ReadonlySet<string> = new Set(
  "AND AS ASC BETWEEN BY DELETE DESC EXISTS FALSE FROM IN INSERT INTO IS LIKE MISSING NOT NULL ON OR ORDER REMOVE RETURNING SELECT SET TRUE UPDATE VALUE WHERE".split(
    " ",
  ),
);
/** Levels that lists and maps can be nested, so that reading them ends. */
const NESTING_MAX = 32;

export class Cursor {
  readonly #tokens: readonly Token[];
  readonly #parameters: readonly AttributeValue[];
  #at = 0;
  #parametersUsed = 0;

  constructor(statement: string, parameters: readonly AttributeValue[] = []) {
    this.#tokens = tokensOf(statement);
    this.#parameters = parameters;
  }

  get token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  get isAtEnd(): boolean {
    return this.token.kind === "end";
  }

  /** Whether the next token is a keyword, which is in no quotes; takes it if so. */
  takeWord(...words: readonly string[]): string | undefined {
    const { kind, text } = this.token;
    const word = words.find((one) => kind === "word" && text.toUpperCase() === one);
    if (word !== undefined) this.#at += 1;
    return word;
  }

  takeSign(...signs: readonly string[]): string | undefined {
    const { kind, text } = this.token;
    const sign = signs.find((one) => kind === "sign" && text === one);
    if (sign !== undefined) this.#at += 1;
    return sign;
  }

  /** Whether this keyword comes `ahead` tokens after the next one. */
  isWordAhead(word: string, ahead = 0): boolean {
    const token = this.#tokens[this.#at + ahead];
    return token?.kind === "word" && token.text.toUpperCase() === word;
  }

  isSignAhead(sign: string, ahead = 0): boolean {
    const token = this.#tokens[this.#at + ahead];
    return token?.kind === "sign" && token.text === sign;
  }

  expectWord(word: string): void {
    if (this.takeWord(word) === undefined) throw notWellFormed(`Expected keyword ${word}`);
  }

  expectSign(sign: string): void {
    if (this.takeSign(sign) === undefined) throw notWellFormed(`Expected ${sign}`);
  }

  /** Nothing may follow, and all parameters must have been used. */
  expectEnd(): void {
    if (!this.isAtEnd) throw notWellFormed("Unexpected token after expression");
    if (this.#parametersUsed !== this.#parameters.length) throw wrongCount();
  }

  /** A table's, index's or attribute's name. */
  name(): string {
    const { kind, text } = this.token;
    if (kind !== "name" && (kind !== "word" || KEYWORDS.has(text.toUpperCase())))
      throw notWellFormed("Expected identifier for simple path");
    this.#at += 1;
    if (text === "") throw invalid("Path component cannot be an empty string");
    return text;
  }

  /** A table, and perhaps one of its indexes. */
  source(): { readonly table: string; readonly index: string | undefined } {
    const table = this.name();
    const index = this.takeSign(".") ? this.name() : undefined;
    const { kind } = this.token;
    const isAlias = kind === "name" || this.isWordAhead("AS") || (kind === "word" && !this.#isKeyword());
    if (isAlias) throw invalid("Aliasing is not supported");
    return { table, index };
  }

  #isKeyword(): boolean {
    return this.token.kind === "word" && KEYWORDS.has(this.token.text.toUpperCase());
  }

  /** Whether an attribute's path begins here. */
  get isAtPath(): boolean {
    return this.token.kind === "name" || (this.token.kind === "word" && !this.#isKeyword());
  }

  path(): Path {
    const steps: (string | number)[] = [this.name()];
    for (;;) {
      if (this.takeSign(".")) {
        if (this.takeSign("*")) throw invalid("Unpivot path component like a.*.b are not supported");
        steps.push(this.name());
      } else if (this.takeSign("[")) {
        steps.push(this.#step());
        this.expectSign("]");
      } else return steps;
    }
  }

  #step(): string | number {
    if (this.takeSign("*")) throw invalid("Wildcard path component like a[*].b are not supported");
    const { kind, text } = this.token;
    this.#at += 1;
    if (kind === "text") return text;
    if (kind !== "number" || !/^\d{1,9}$/.test(text)) throw notWellFormed("Unexpected path component");
    return Number(text);
  }

  /** Whether a value begins here. */
  get isAtValue(): boolean {
    const { kind, text } = this.token;
    if (kind === "text" || kind === "number") return true;
    if (kind === "sign") return ["?", "[", "{", "<<", "-", "+"].includes(text);
    return kind === "word" && ["TRUE", "FALSE", "NULL"].includes(text.toUpperCase());
  }

  value(level = 1): AttributeValue {
    if (level > NESTING_MAX) throw invalid("Nesting Levels have exceeded supported limits");
    const { kind, text } = this.token;
    if (kind === "text") return this.#taken({ S: text });
    if (kind === "number") return this.#number("");
    if (this.takeWord("TRUE")) return { BOOL: true };
    if (this.takeWord("FALSE")) return { BOOL: false };
    if (this.takeWord("NULL")) return { NULL: true };
    if (this.takeSign("?")) return this.#parameter();
    const sign = this.takeSign("-", "+");
    if (sign) return this.#number(sign === "-" ? "-" : "");
    if (this.takeSign("[")) return { L: this.#elements("]", level) };
    if (this.takeSign("{")) return { M: this.#fields(level) };
    if (this.takeSign("<<")) return setOf(this.#elements(">>", level));
    throw notWellFormed(
      kind === "sign" && kind !== undefined ? "Unexpected operator" : unexpected(this.token),
    );
  }

  /** Values up to a closing sign, which is taken. */
  #elements(close: string, level: number): AttributeValue[] {
    const elements: AttributeValue[] = [];
    if (this.takeSign(close)) return elements;
    do elements.push(this.value(level + 1));
    while (this.takeSign(","));
    this.expectSign(close);
    return elements;
  }

  #fields(level: number): Attributes {
    const fields = emptyAttributes();
    if (this.takeSign("}")) return fields;
    do {
      const { kind, text } = this.token;
      if (kind !== "text")
        throw invalid(`Tuple keys must be of type String. Actual type: ${kind} under root`);
      this.#at += 1;
      this.expectSign(":");
      if (Object.hasOwn(fields, text)) throw invalid(`Duplicate keys in tuple. Key: ${text} under root`);
      fields[text] = this.value(level + 1);
    } while (this.takeSign(","));
    this.expectSign("}");
    return fields;
  }

  #number(sign: string): AttributeValue {
    const { kind, text } = this.token;
    if (kind !== "number") throw notWellFormed("Unexpected operator");
    return this.#taken(validateValue({ N: sign + text }, "current"));
  }

  #parameter(): AttributeValue {
    const value = this.#parameters[this.#parametersUsed];
    if (value === undefined) throw wrongCount();
    this.#parametersUsed += 1;
    return validateValue(value, "current");
  }

  #taken(value: AttributeValue): AttributeValue {
    this.#at += 1;
    return value;
  }
}

function wrongCount(): Error {
  return invalid("Number of parameters in request and statement don't match.");
}

/** What stands where a value or a path had to be. */
export function unexpected({ kind }: Token): string {
  return kind === "word" ? "Unexpected keyword" : "Unexpected term";
}

function setOf(members: readonly AttributeValue[]): AttributeValue {
  if (members.length === 0) throw invalid("Empty bags are not supported");
  if (members.every(({ S }) => S !== undefined))
    return validateValue({ SS: members.map(({ S }) => S as string) }, "current");
  if (members.every(({ N }) => N !== undefined))
    return validateValue({ NS: members.map(({ N }) => N as string) }, "current");
  if (members.every(({ B }) => B !== undefined))
    return validateValue({ BS: members.map(({ B }) => B as Uint8Array) }, "current");
  throw invalid("Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags");
}
