import assert from "node:assert/strict";
import { test } from "node:test";
import { shareOf } from "./share.ts";

const SERVERS = ["a", "b", "c"];

test("shards are shared out wholly, and nobody has two more than another", () => {
  for (let shards = 0; shards <= 10; shards++)
    for (const mapping of ["m1", "m2", "m3", "m4"]) {
      const shares = SERVERS.map((own) => shareOf(shards, SERVERS, own, mapping));
      assert.equal(
        shares.reduce((sum, one) => sum + one, 0),
        shards,
      );
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    }
  assert.equal(shareOf(5, ["a"], "a", "m"), 5);
});

test("streams of one shard fall to different servers", () => {
  const owners = Array.from({ length: 30 }, (_, at) =>
    SERVERS.find((own) => shareOf(1, SERVERS, own, `mapping-${at}`) === 1),
  );
  for (const own of SERVERS) assert.ok(owners.filter((one) => one === own).length >= 5);
});

test("a server that the others have not heard of takes what is free", () => {
  assert.equal(shareOf(4, SERVERS, "new", "m"), 4);
});
