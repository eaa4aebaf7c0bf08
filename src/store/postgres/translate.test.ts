import assert from "node:assert/strict";
import { test } from "node:test";
import { numberParameters } from "./translate.ts";

void test("parameters are numbered in order", () => {
  assert.equal(
    numberParameters("SELECT a FROM t WHERE b = ? AND c IN (?,?)"),
    "SELECT a FROM t WHERE b = $1 AND c IN ($2,$3)",
  );
});

void test("a question mark in a literal, a quoted name or a comment is no parameter", () => {
  assert.equal(
    numberParameters(`SELECT '?', 'it''s ?', "a?""b?" -- why?\n/* ? \n ? */ FROM t WHERE x = ?`),
    `SELECT '?', 'it''s ?', "a?""b?" -- why?\n/* ? \n ? */ FROM t WHERE x = $1`,
  );
});
