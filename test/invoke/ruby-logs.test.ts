/** What functions on Ruby log: puts, the standard streams, Logger, children, errors; as text and with JSON logs. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { eventually, kindsWithGvisor, openInvoker } from "./harness.ts";
import { rubiesHere } from "./rubies.ts";

const kinds = await kindsWithGvisor();

for (const [at, runtime] of rubiesHere.entries())
  // One version on every provider; the others on the cheapest.
  for (const kind of at === 0 ? kinds : (["process"] as const))
    describe(`logs of ${runtime} on ${kind}`, async () => {
      const bench = await openInvoker(kind);
      after(() => bench.close());
      const call = async (code: string, more = {}, event: unknown = {}) =>
        bench.call(
          await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler", ...more }),
          event,
          { wantLogTail: true },
        );

      test("all that a function writes stands between START and END, in its order", async () => {
        const code = `def handler(event:, context:)
  puts "one"; $stderr.puts "two"; print "thr", "ee\\n"; p :four; warn "five"; STDOUT << "six" << "\\n"
  $stdout.write("seven", "\\n"); $stdout.printf("%s\\n", "eight"); puts ["nine", ["ten"]], nil; puts; puts "\\xff".b
  raise "unseen" rescue $stderr.write("eleven\\n")
  Signal.trap("USR1") { puts "in a trap" }
  Process.kill("USR1", Process.pid)
  sleep 0.05
  system("echo child")
end`;
        const { tail, requestId, functionError } = await call(code);
        assert.equal(functionError, undefined);
        const body = "one\ntwo\nthree\n:four\nfive\nsix\nseven\neight\nnine\nten\n\n\n\uFFFD\neleven\n";
        const written = tail
          .replace("child\n", "")
          .replace("in a trap\n", "")
          .replace(/END[\s\S]*/, "");
        assert.equal(written, `START RequestId: ${requestId} Version: $LATEST\n${body}`);
        for (const late of ["child\n", "in a trap\n"])
          assert.ok(tail.includes(late) && tail.indexOf(late) < tail.indexOf("END RequestId"), tail);
      });

      test("what is written while loading, and from a stream of the function's own, is kept apart", async () => {
        const code = `require "stringio"
puts "loading"
def handler(event:, context:)
  $stdout = StringIO.new
  puts "captured"
  text = $stdout.string
  $stdout = STDOUT
  puts "after"
  text
end`;
        const { json, tail } = await call(code);
        assert.equal(json, "captured\n");
        assert.match(tail, /Version: \$LATEST\nafter\nEND/);
        await eventually(() => /INIT_START[^\n]*\nloading\n/.test(bench.logged()));
      });

      test("a Logger writes AWS's lines, one event each, however it was made", async () => {
        const code = `EARLY = Logger.new($stdout)
def handler(event:, context:)
  EARLY.info("multi\\nline")
  Logger.new($stderr, progname: "prog", level: Logger::WARN).tap { |l| l.info("no"); l.error("two") }
  Logger.new(nil).debug { "three" }
  Logger.new($stdout, formatter: ->(s, t, p, m) { "mine #{s} #{m}\\n" }).warn("four")
  Logger.new($stdout, datetime_format: "%Y").fatal(ArgumentError.new("five"))
  Logger.new("/tmp/own.log").info("six")
  puts File.read("/tmp/own.log").lines.last
end`;
        const { tail, requestId } = await call(code);
        const lines = tail
          .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6} #\d+/g, "<time>")
          .replaceAll(requestId, "<id>")
          .replace(/\[\d{4} #\d+\]/, "[<year>]");
        assert.equal(
          lines.replace(/^START.*\n/, "").replace(/END[\s\S]*/, ""),
          `I, [<time>]  INFO <id> -- : multi\nline\nE, [<time>] ERROR <id> -- prog: two\nD, [<time>] DEBUG <id> -- : three\n` +
            `mine WARN four\nF, [<year>] FATAL <id> -- : five (ArgumentError)\n\nI, [<time>]  INFO -- : six\n`,
        );
        await eventually(() =>
          bench
            .streams()
            .some((stream) => bench.linesOf(stream).some((each) => /INFO.*multi\nline\n$/.test(each))),
        );
      });

      test("an error's lines are AWS's", async () => {
        const code = `def handler(event:, context:) = raise("a \\"bad\\" day")`;
        const { tail, requestId } = await call(code);
        const [start, said, ...rest] = tail.replace(/END[\s\S]*/, "").split("\n");
        assert.equal(start, `START RequestId: ${requestId} Version: $LATEST`);
        assert.equal(said, "Error raised from handler method");
        const { errorMessage, errorType, stackTrace } = JSON.parse(rest.join("\n"));
        assert.deepEqual([errorMessage, errorType], ['a "bad" day', "Function<RuntimeError>"]);
        assert.match(stackTrace[0], /app\.rb:1:in [`'](Object#)?handler'$/);
        assert.equal(rest[0], "{");
      });

      test("with LogFormat JSON, Logger writes objects at the configured level, and puts what it is given", async () => {
        const code = `def handler(event:, context:)
  log = Logger.new($stdout)
  log.info("no"); log.warn("hi ü")
  log.fatal("prog") { { a: 1 } }
  begin
    Integer("x")
  rescue ArgumentError => e
    log.error(e)
  end
  Logger.new($stdout, level: :debug).debug("filtered by the platform")
  puts "plain"
end`;
        const { tail, requestId } = await call(code, { logFormat: "JSON", applicationLogLevel: "WARN" });
        const lines = tail.trim().split("\n");
        const objects = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
        const own = objects.filter(({ type }) => type === undefined);
        assert.equal(lines.filter((line) => line === "plain").length, 1);
        assert.equal(own.length, 3, tail);
        const [warned, fatal, failed] = own;
        const { timestamp, ...rest } = warned;
        assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
        assert.deepEqual(rest, { level: "WARN", message: "hi ü", requestId });
        assert.deepEqual([fatal.level, fatal.logger], ["FATAL", "prog"]);
        assert.match(fatal.message, /^\{(:a|a:) ?=?>? ?1\}$/);
        assert.deepEqual(
          [failed.level, failed.errorType, failed.errorMessage],
          ["ERROR", "ArgumentError", 'invalid value for Integer(): "x"'],
        );
        assert.match(failed.location, /:(Kernel#)?Integer:\d+$/);
        assert.ok(failed.stackTrace.length > 1);
      });

      test("a line of two megabytes is logged in pieces, and nothing is lost with it", async () => {
        const code = `def handler(event:, context:)
  puts "a" * 2_200_000
  puts "end"
end`;
        const { functionError, tail } = await call(code, { memoryMb: 1_024 });
        assert.equal(functionError, undefined);
        assert.match(tail, /a\nend\nEND/);
      });
    });
