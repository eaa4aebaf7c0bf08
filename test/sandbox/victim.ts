/** A server of sandboxes that is killed: starts three, one of them frozen, says so and waits. */
import { bench } from "./harness.ts";

const kind = process.argv[3] === "runsc" ? "runsc" : "runc";
const here = await bench(kind, { folder: process.argv[2] ?? "", outbound: "internet" });
const files = { "main.mjs": `console.log("up"); setInterval(() => {}, 1000)` };
const three = await Promise.all([1, 2, 3].map(() => here.start({ files })));
await Promise.all(three.map((one) => one.says("up")));
await three[0]?.sandbox.freeze();
console.log("running");
setInterval(() => {}, 1_000);
