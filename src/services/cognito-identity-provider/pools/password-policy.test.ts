/** Password policies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPassword, newPassword, passwordPolicy } from "./password-policy.ts";

test("a pool that says nothing asks for all; one that says something, for that alone", () => {
  const strict = passwordPolicy(undefined);
  const said = (password: string) => {
    try {
      checkPassword(strict, password);
      return "";
    } catch (error) {
      return (error as Error).message.replace(/^Password did not conform with policy: /, "");
    }
  };
  assert.equal(said("Aa1!"), "Password not long enough");
  assert.equal(said("aaaaaaa1!"), "Password must have uppercase characters");
  assert.equal(said("AAAAAAA1!"), "Password must have lowercase characters");
  assert.equal(said("Aaaaaaaa!"), "Password must have numeric characters");
  assert.equal(said("Aaaaaaaa1"), "Password must have symbol characters");
  assert.equal(said("Aaaaaaa1!"), "");
  checkPassword(passwordPolicy({ MinimumLength: 6 }), "simple");
  assert.throws(() => passwordPolicy({ MinimumLength: 5 }), /at least 6/);
});

test("temporary passwords fit the strictest policy", () => {
  const policy = passwordPolicy({
    MinimumLength: 30,
    RequireLowercase: true,
    RequireNumbers: true,
    RequireSymbols: true,
    RequireUppercase: true,
  });
  for (let at = 0; at < 50; at++) checkPassword(policy, newPassword(policy));
});
