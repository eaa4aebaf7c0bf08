/** Custom runtimes that stream: a shell script with curl, and one that writes its HTTP by hand for the trailers. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { kinds, openInvoker } from "./harness.ts";
import { taker } from "./taker.ts";

const provided = { runtime: "provided.al2023", handler: "whatever" } as const;

/** `next`; `post` streams its standard input; `raw` opens a connection as descriptor 3 and begins a streamed response. */
const SHELL = `#!/bin/bash
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01"
MODE='Lambda-Runtime-Function-Response-Mode: streaming'
: "\${TMPDIR:=/tmp}" # where there is no sandbox, /tmp is everyone's
next() { curl -sS -D $TMPDIR/head.$$ -o $TMPDIR/event.$$ "$API/runtime/invocation/next"; id=$(grep -i '^lambda-runtime-aws-request-id' $TMPDIR/head.$$ | tr -d '\\r' | cut -d' ' -f2); }
post() { curl -sS -w ' %{http_code}\\n' -X POST -H "$MODE" -H 'Transfer-Encoding: chunked' "$@" -T - "$API/runtime/invocation/$id/response"; }
raw() { exec 3<>/dev/tcp/\${AWS_LAMBDA_RUNTIME_API%:*}/\${AWS_LAMBDA_RUNTIME_API#*:}; printf "POST /2018-06-01/runtime/invocation/$id/response HTTP/1.1\\r\\nHost: x\\r\\n$MODE\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n" >&3; }
`;

for (const kind of kinds) {
  describe(`custom runtimes that stream on ${kind}`, async () => {
    const bench = await openInvoker(kind, {
      streaming: { bytesMax: 8_000_000, burstBytes: 8_000_000, bytesPerSecond: 0 },
    });
    after(() => bench.close());
    const shell = (script: string) => bench.fn({ files: { bootstrap: SHELL + script }, ...provided });

    test("the first bytes come before the last, with their content type", async () => {
      const version = await shell(`while true; do next
        { printf 'one '; until [ -e $LAMBDA_TASK_ROOT/go ]; do sleep 0.02; done; printf two; } | post -H 'Content-Type: text/plain'
        done`);
      const sink = taker();
      const running = bench.call(version, {}, { sink, wantLogTail: true });
      await sink.begun;
      assert.deepEqual([sink.contentTypes, sink.text()], [["text/plain"], "one "]);
      await writeFile(join(version.codeDir, "go"), "");
      const answer = await running;
      assert.deepEqual([sink.text(), answer.functionError], ["one two", undefined]);
      assert.match(answer.tail, /\{"status":"OK"\}\n 202\n[^]*REPORT/);
      const whole = await bench.call(version);
      assert.deepEqual([whole.payload.toString(), whole.initDurationMs], ["one two", undefined]);
    });

    test("a failure in the trailers keeps what came before, and the environment", async () => {
      const body = Buffer.from('{"errorType":"Mid","errorMessage":"stream"}').toString("base64");
      const version = await shell(`while true; do next; raw
        printf '4\\r\\npart\\r\\n0\\r\\nLambda-Runtime-Function-Error-Type: Function.Mid\\r\\nLambda-Runtime-Function-Error-Body: ${body}\\r\\n\\r\\n' >&3
        read -r status <&3; exec 3>&-; done`);
      for (const expected of [false, true]) {
        const sink = taker();
        const answer = await bench.call(version, {}, { sink });
        assert.deepEqual(
          [answer.errorType, answer.json.errorMessage, sink.text()],
          ["Function.Mid", "stream", "part"],
        );
        assert.equal(answer.initDurationMs === undefined, expected);
      }
    });

    test("a connection that breaks is a truncated response", async () => {
      const version = await shell(`next; raw; printf '4\\r\\npart\\r\\nff\\r\\nhalf' >&3; exec 3>&-; next`);
      const sink = taker();
      const answer = await bench.call(version, {}, { sink, wantLogTail: true });
      assert.deepEqual([answer.errorType, sink.text()], ["Runtime.TruncatedResponse", "parthalf"]);
      assert.match(answer.tail, /Status: error\tError Type: Runtime\.TruncatedResponse\n$/);
    });

    test("a runtime that exits inside its answer", async () => {
      const version = await shell(`next; raw; printf '4\\r\\npart\\r\\n' >&3; sleep 0.1; kill -9 $$`);
      const sink = taker();
      const answer = await bench.call(version, {}, { sink });
      assert.equal(sink.text(), "part");
      assert.match(answer.errorType ?? "", /^Runtime\.(ExitError|TruncatedResponse)$/);
    });

    test("above the largest size the caller gets what is allowed and the runtime 413", async () => {
      const version = await shell(`next; head -c 9000000 /dev/zero | post; next`);
      const sink = taker();
      const answer = await bench.call(version, {}, { sink, wantLogTail: true });
      assert.deepEqual([answer.errorType, sink.bytes()], ["Function.ResponseSizeTooLarge", 8_000_000]);
      assert.match(answer.tail, /"RequestEntityTooLarge".* 413\n/);
    });
  });
}
