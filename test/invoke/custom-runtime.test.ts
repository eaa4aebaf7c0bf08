/** The HTTP Runtime API, spoken by small custom runtimes on every provider. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kinds, openInvoker } from "./harness.ts";

const provided = { runtime: "provided.al2023", handler: "whatever" } as const;

/** A bootstrap of one line a step: `call METHOD PATH [curl options]` prints status and body to the log. */
const SHELL = `#!/bin/bash
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01"
: "\${TMPDIR:=/tmp}" # where there is no sandbox, /tmp is everyone's
call() { local m=$1 p=$2; shift 2; curl -sS -o $TMPDIR/body.$$ -w "$m $p %{http_code} " -X "$m" "$@" "$API$p"; cat $TMPDIR/body.$$; echo; }
next() { curl -sS -D $TMPDIR/head.$$ -o $TMPDIR/event.$$ "$API/runtime/invocation/next"; id=$(grep -i '^lambda-runtime-aws-request-id' $TMPDIR/head.$$ | tr -d '\\r' | cut -d' ' -f2); }
`;

/** Answers with its event, as a real runtime would: a connection that stays, no fork. Needs a Node in its layer. */
for (const kind of kinds) {
  describe(`custom runtimes on ${kind}`, async () => {
    const bench = await openInvoker(kind);
    after(() => bench.close());
    const shell = (script: string) => bench.fn({ files: { bootstrap: SHELL + script }, ...provided });

    test("answers, keeps its environment, and logs what it writes between START and END", async () => {
      const version = await shell(
        `while true; do next; echo "handling $id"; echo err >&2; curl -sS -o /dev/null --data-binary @$TMPDIR/event.$$ "$API/runtime/invocation/$id/response"; done`,
      );
      const first = await bench.call(version, { a: "ü" }, { wantLogTail: true });
      assert.equal(first.payload.toString(), '{"a":"ü"}');
      assert.match(
        first.tail,
        /^START RequestId: \S+ Version: \$LATEST\n(handling \S+\n|err\n){2}END RequestId: \S+\nREPORT /,
      );
      await sleep(200);
      const second = await bench.call(version, { a: 2 });
      assert.equal(second.initDurationMs, undefined);
      assert.deepEqual(second.json, { a: 2 });
      assert.equal(bench.streams().length, 1);
    });

    test("next tells everything about the invocation", async () => {
      const version = await shell(
        `while true; do next; echo "[\\"$(tr -d '\\r"' < $TMPDIR/head.$$ | tr '\\n' '|')\\"]" > $TMPDIR/answer.$$; curl -sS -o /dev/null --data-binary @$TMPDIR/answer.$$ "$API/runtime/invocation/$id/response"; done`,
      );
      const answer = await bench.call(
        version,
        {},
        { traceHeader: "Root=1-a-b", clientContext: '{"custom":\n{}}' },
      );
      const [head, ...headers] = (answer.json[0] as string).split("|");
      assert.equal(head, "HTTP/1.1 200 OK");
      const named = Object.fromEntries(
        headers
          .filter(Boolean)
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      const { "Lambda-Runtime-Deadline-Ms": deadline, ...rest } = named;
      assert.ok(Math.abs(Number(deadline) - Date.now() - version.timeoutMs) < 5_000);
      assert.deepEqual(rest, {
        "Content-Type": "application/json",
        "Lambda-Runtime-Aws-Request-Id": answer.requestId,
        "Lambda-Runtime-Invoked-Function-Arn": version.functionArn,
        "Lambda-Runtime-Trace-Id": "Root=1-a-b",
        "Lambda-Runtime-Client-Context": "{custom: {}}",
        "Content-Length": "2",
      });
    });

    test("wrong calls have AWS's statuses and bodies", async () => {
      const version = await shell(`
call GET /ping
next
call GET /runtime/invocation/next
call POST /runtime/invocation/wrong/response -d 1
call POST /runtime/init/error -d 1
call GET /runtime/nothing
call POST /runtime/invocation/next
call GET /runtime/restore/next
call POST /runtime/invocation/$id/response -H 'Transfer-Encoding: chunked' -d '"chunked"'
call POST /runtime/invocation/$id/response -d '"twice"'
next`);
      const answer = await bench.call(version, {}, { wantLogTail: true });
      assert.equal(answer.json, "chunked");
      await sleep(200);
      const logged = bench.logged();
      for (const line of [
        "GET /ping 200 pong",
        'GET /runtime/invocation/next 403 {"errorType":"InvalidStateTransition"',
        'POST /runtime/invocation/wrong/response 400 {"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}',
        'POST /runtime/init/error 403 {"errorType":"InvalidStateTransition"',
        "GET /runtime/nothing 404 404 page not found",
        "POST /runtime/invocation/next 405",
        'GET /runtime/restore/next 501 {"errorType":"NotImplemented"',
        `POST /runtime/invocation/${answer.requestId}/response 202 {"status":"OK"}`,
        `POST /runtime/invocation/${answer.requestId}/response 403 {"errorType":"InvalidStateTransition"`,
      ])
        assert.ok(logged.includes(line), `${line} in ${logged}`);
    });

    test("an error keeps its document; the type it names is on no REPORT line", async () => {
      const version = await shell(
        `next; call POST /runtime/invocation/$id/error -H 'Lambda-Runtime-Function-Error-Type: Function.Bad' -d '{"errorType":"Bad","errorMessage":"b"}'; next`,
      );
      const answer = await bench.call(version);
      assert.equal(answer.functionError, "Unhandled");
      assert.equal(answer.payload.toString(), '{"errorType":"Bad","errorMessage":"b"}');
    });

    test("an init error is the answer", async () => {
      const version = await shell(
        `call POST /runtime/init/error -H 'Lambda-Runtime-Function-Error-Type: Runtime.NoConfig' -d '{"errorType":"NoConfig"}'; exit 1`,
      );
      const answer = await bench.call(version, {}, { wantLogTail: true });
      assert.deepEqual(answer.json, { errorType: "NoConfig" });
      assert.match(answer.tail, /Status: error\tError Type: Runtime\.NoConfig\n$/);
    });

    test("an exit, in init and in an invocation", async () => {
      const early = await bench.call(await shell("exit 9"));
      assert.equal(
        early.json.errorMessage,
        `RequestId: ${early.requestId} Error: Runtime exited with error: exit status 9`,
      );
      const late = await bench.call(await shell("next; exit 3"));
      assert.equal(
        late.json.errorMessage,
        `RequestId: ${late.requestId} Error: Runtime exited with error: exit status 3`,
      );
    });

    test("a response of exactly the limit", async () => {
      const version = await shell(
        `next; head -c 6291556 /dev/zero > $TMPDIR/big.$$; call POST /runtime/invocation/$id/response --data-binary @$TMPDIR/big.$$; rm $TMPDIR/big.$$; next`,
      );
      const answer = await bench.call(version);
      assert.deepEqual([answer.payload.length, answer.functionError], [6_291_556, undefined]);
    });

    test("a response above the limit: 413 for the runtime, Function.ResponseSizeTooLarge for the caller", async () => {
      const version = await shell(
        `next; head -c 6291557 /dev/zero > $TMPDIR/big.$$; call POST /runtime/invocation/$id/response --data-binary @$TMPDIR/big.$$; rm $TMPDIR/big.$$; next`,
      );
      const answer = await bench.call(version, {}, { wantLogTail: true });
      assert.equal(
        answer.json.errorMessage,
        "Response payload size (6291557 bytes) exceeded maximum allowed payload size (6291556 bytes).",
      );
      assert.match(
        answer.tail,
        /413 \{"errorType":"RequestEntityTooLarge","errorMessage":"Exceeded maximum allowed payload size \(6291556 bytes\)\."\}/,
      );
    });

    test("a timeout while it works, and while it does not come back", async () => {
      const version = await bench.fn({
        files: { bootstrap: `${SHELL}next; sleep 60` },
        ...provided,
        timeoutMs: 1_000,
      });
      assert.equal((await bench.call(version)).json.errorType, "Sandbox.Timedout");
      const stays = await bench.fn({
        files: { bootstrap: `${SHELL}next; call POST /runtime/invocation/$id/response -d 1; sleep 60` },
        ...provided,
        timeoutMs: 1_000,
      });
      const answer = await bench.call(stays, {}, { wantLogTail: true });
      assert.equal(answer.json, 1);
      assert.match(answer.tail, /\tStatus: timeout\n$/);
    });

    test("a bootstrap that is missing or cannot be run is Runtime.InvalidEntrypoint", async () => {
      const missing = await bench.call(
        await bench.fn({ files: { "x.txt": "" }, ...provided }),
        {},
        { wantLogTail: true },
      );
      assert.deepEqual(missing.json, {
        errorType: "Runtime.InvalidEntrypoint",
        errorMessage: `RequestId: ${missing.requestId} Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]`,
      });
      assert.match(missing.tail, /Error Type: Runtime\.InvalidEntrypoint\n$/);
    });

    test("the bootstrap of a layer serves a function that has none", async () => {
      const layer = await bench.fn({
        files: {
          bootstrap: `${SHELL}while true; do next; curl -sS -o /dev/null -d '"layer"' "$API/runtime/invocation/$id/response"; done`,
        },
      });
      const version = await bench.fn({
        files: { "x.txt": "" },
        ...provided,
        runtime: "provided.al2",
        optDir: layer.codeDir,
      });
      assert.equal((await bench.call(version)).json, "layer");
    });
  });
}
