/** The Ruby runtimes that this machine has: handlers, context, answers, errors, search paths. What they log: ruby-logs.test.ts. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { kindsWithGvisor, openInvoker, runtimes } from "./harness.ts";
import type { Answer, FunctionInput, Kind, TestInvoker } from "./harness.ts";
import { rubiesHere, wantedRubies } from "./rubies.ts";

const kinds = await kindsWithGvisor();

// All of one version where functions usually run; what another Ruby or another kernel might do otherwise of the others.
const usual = kinds.includes("runc") ? "runc" : "process";
for (const [at, runtime] of rubiesHere.entries())
  for (const kind of at === 0 ? kinds : (["process"] as const))
    describe(`${runtime} on ${kind}`, async () => {
      const bench = await openInvoker(kind);
      after(() => bench.close());
      handlers(bench, runtime);
      searchPaths(bench, runtime, kind);
      if (at > 0 || kind !== usual) return;
      answers(bench, runtime);
      errors(bench, runtime);
      endings(bench, runtime);
    });

/** Defines a function of one file and calls it. */
async function answerOf(
  bench: TestInvoker,
  runtime: string,
  code: string,
  event: unknown = {},
  more: Partial<FunctionInput> = {},
): Promise<Answer> {
  const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler", ...more });
  return bench.call(version, event, { wantLogTail: true });
}

function handlers(bench: TestInvoker, runtime: string): void {
  const minor = runtime.slice("ruby".length);

  test("runs the real version, with AWS's variables", async () => {
    const code = `def handler(event:, context:)
      [RUBY_VERSION, *ENV.values_at("AWS_EXECUTION_ENV", "GEM_HOME", "GEM_PATH", "RUBYLIB", "TZ", "LANG", "LAMBDA_TASK_ROOT", "AWS_ACCESS_KEY_ID"), ENV.key?("_LAMBENT_SOCKET"), Dir.pwd]
    end`;
    const { json } = await answerOf(bench, runtime, code);
    assert.match(json[0], new RegExp(`^${minor.replace(".", "\\.")}\\.\\d+$`));
    const [, execution, home, gems, lib, zone, language, root, key, hasSocket, folder] = json;
    assert.deepEqual(
      [execution, zone, language, key, hasSocket, folder],
      [`AWS_Lambda_${runtime}`, ":UTC", "en_US.UTF-8", "ASIATEST", false, root],
    );
    assert.ok(gems.startsWith(`${root}/vendor/bundle/ruby/${minor}.0:/opt/ruby/gems/${minor}.0:`), gems);
    assert.equal(lib, `${root}:${home}/lib:/opt/ruby/lib`);
  });

  test("a handler is a method of a file, of a file in a folder, of a class or a nested module", async () => {
    const files = {
      "app.rb": `def plain(event:, context:) = "plain"
class Handler; def self.process(event:, context:) = "class #{event["n"]}"; end
module Deep; module Inner; def self.process(event:, context:) = "module #{event["n"]}"; end; end`,
      "folder/deeper/app.rb": `require_relative "other"\ndef nested(event:, context:) = OTHER`,
      "folder/deeper/other.rb": `OTHER = "nested"`,
    };
    for (const [handler, answer] of [
      ["app.plain", "plain"],
      ["app.Handler.process", "class 1"],
      ["app.Deep::Inner.process", "module 1"],
      ["folder/deeper/app.nested", "nested"],
    ] as const) {
      const version = await bench.fn({ files, runtime, handler });
      assert.equal((await bench.call(version, { n: 1 })).json, answer, handler);
    }
  });

  test("one object is the handler's self for all invocations", async () => {
    const code = `def handler(event:, context:) = [self.class.name, @calls = (@calls || 0) + 1]`;
    const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler" });
    assert.deepEqual((await bench.call(version)).json, ["LambdaHandler", 1]);
    assert.deepEqual((await bench.call(version)).json, ["LambdaHandler", 2]);
  });

  test("the context object is whole", async () => {
    const code = `def handler(event:, context:)
      c = context
      [c.function_name, c.function_version, c.memory_limit_in_mb, c.invoked_function_arn, c.aws_request_id, c.log_group_name, c.log_stream_name,
       c.get_remaining_time_in_millis, c.deadline_ms - (Time.now.to_f * 1000).to_i, c.client_context, c.identity, c.tenant_id]
    end`;
    const version = await bench.fn({
      files: { "app.rb": code },
      runtime,
      handler: "app.handler",
      timeoutMs: 5_000,
      memoryMb: 256,
    });
    const clientContext = '{"client":{"app_title":"x"},"custom":{"a":"ü"},"env":{}}';
    const { json, requestId } = await bench.call(version, {}, { clientContext });
    const { functionName, functionArn, logGroup } = version;
    assert.deepEqual(json.slice(0, 6), [functionName, "$LATEST", "256", functionArn, requestId, logGroup]);
    assert.match(json[6], /\[\$LATEST\][0-9a-f]{32}$/);
    for (const left of json.slice(7, 9)) assert.ok(left > 3_000 && left <= 5_000, String(left));
    assert.deepEqual(json.slice(9), [JSON.parse(clientContext), null, null]);
    assert.equal((await bench.call(version)).json[9], null);
  });

  test("the trace header is in the environment during its invocation", async () => {
    const code = `def handler(event:, context:) = ENV["_X_AMZN_TRACE_ID"]`;
    const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler" });
    assert.equal((await bench.call(version, {}, { traceHeader: "Root=1-a-b" })).json, "Root=1-a-b");
    assert.equal((await bench.call(version)).json, null);
  });
}

function answers(bench: TestInvoker, runtime: string): void {
  test("answers are what to_json makes of them", async () => {
    const code = `class Own; def to_json(*) = '{"own":1}'; end
def handler(event:, context:) = event["own"] ? Own.new : { "e" => event, n: nil, s: :symbol, f: 1.5, "day" => "今日は" }`;
    const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler" });
    const answer = await bench.call(version, { ü: [1.5, true] });
    assert.equal(
      answer.payload.toString(),
      '{"e":{"ü":[1.5,true]},"n":null,"s":"symbol","f":1.5,"day":"今日は"}',
    );
    assert.equal((await bench.call(version, { own: true })).payload.toString(), '{"own":1}');
  });

  test("events of every kind arrive", async () => {
    const code = `def handler(event:, context:) = [event.class.name, event]`;
    const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler" });
    for (const [event, name] of [
      [null, "NilClass"],
      ["é\u{1F600}", "String"],
      [7, "Integer"],
      [[1], "Array"],
      [{ a: { b: [] } }, "Hash"],
    ] as const)
      assert.deepEqual((await bench.call(version, event)).json, [name, event]);
  });

  test("what can be read goes out as it is, byte for byte", async () => {
    const code = `require "stringio"
def handler(event:, context:) = event["file"] ? File.open(__FILE__) : StringIO.new((0..255).to_a.pack("C*"))`;
    const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler" });
    assert.deepEqual([...(await bench.call(version)).payload], [...Array(256).keys()]);
    assert.equal((await bench.call(version, { file: true })).payload.toString(), code);
  });

  test("a function may replace the marshaller's methods", async () => {
    const code = `class AwsLambda::Marshaller
  def self.marshall_request(request) = [request["Content-Type"], request["lambda-runtime-aws-request-id"], request["X-None"], request.body]
  def self.marshall_response(response) = "<#{response.inspect}>"
end
def handler(event:, context:) = event`;
    const { payload, requestId } = await answerOf(bench, runtime, code, { a: "é" });
    assert.equal(payload.toString(), `<["application/json", "${requestId}", nil, "{\\"a\\":\\"é\\"}"]>`);
  });

  test("an event of 6 MB arrives whole, and a response above the limit is Function.ResponseSizeTooLarge", async () => {
    const code = `def handler(event:, context:) = event["size"] ? "x" * event["size"] : [event["text"].length, event["text"][-1]]`;
    const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler" });
    const { json } = await bench.call(version, { text: `${"x".repeat(6_000_000)}é` });
    assert.deepEqual(json, [6_000_001, "é"]);
    const most = await bench.call(version, { size: 6_291_554 });
    assert.deepEqual([most.payload.length, most.functionError], [6_291_556, undefined]);
    for (const size of [6_291_555, 20_000_000]) {
      const over = await bench.call(version, { size });
      assert.equal(over.json.errorType, "Function.ResponseSizeTooLarge");
      assert.match(over.json.errorMessage, new RegExp(`^Response payload size \\(${size + 2} bytes\\)`));
    }
  });
}

function errors(bench: TestInvoker, runtime: string): void {
  test("an error is a document with AWS's members, and the process goes on", async () => {
    const code = `def inner = raise(ArgumentError, "no \u{2603}")
def handler(event:, context:) = event["fail"] ? inner : (@calls = (@calls || 0) + 1)`;
    const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler" });
    assert.equal((await bench.call(version)).json, 1);
    const { json, functionError } = await bench.call(version, { fail: true });
    assert.equal(functionError, "Unhandled");
    assert.deepEqual(Object.keys(json), ["errorMessage", "errorType", "stackTrace"]);
    assert.deepEqual([json.errorMessage, json.errorType], ["no \u{2603}", "Function<ArgumentError>"]);
    assert.equal(json.stackTrace.length, 2, JSON.stringify(json.stackTrace));
    assert.match(json.stackTrace[0], /\/app\.rb:1:in [`'](Object#)?inner'$/);
    assert.match(json.stackTrace[1], /\/app\.rb:2:in [`'](Object#)?handler'$/);
    assert.equal((await bench.call(version)).json, 2);
  });

  test("errors of a namespace, of no text that JSON could hold, and of answers that are no JSON", async () => {
    const code = `module Mine; class Error < StandardError; end; end
def handler(event:, context:)
  raise Mine::Error, "\\xff\\xfe bytes \\u2603".b if event["bytes"]
  raise Mine::Error if event["empty"]
  event["nan"] ? Float::NAN : "\\xff"
end`;
    const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler" });
    const bytes = (await bench.call(version, { bytes: true })).json;
    assert.deepEqual(
      [bytes.errorType, bytes.errorMessage],
      ["Function<Mine::Error>", "\uFFFD\uFFFD bytes \u{2603}"],
    );
    assert.equal((await bench.call(version, { empty: true })).json.errorMessage, "Mine::Error");
    for (const event of [{ nan: true }, {}])
      assert.equal((await bench.call(version, event)).json.errorType, "Function<JSON::GeneratorError>");
  });

  test("after NameError, NoMethodError and what is no StandardError the process ends, with its answer", async () => {
    const code = `def deep(n) = deep(n + 1) + 1
def handler(event:, context:)
  @calls = (@calls || 0) + 1
  case event["do"]
  when "method" then nil.upcase
  when "name" then Nowhere
  when "exit" then exit 3
  when "abort" then abort "enough"
  when "deep" then deep(0)
  when "raise" then raise Exception, "plain"
  when "rescued" then begin; exit 4; rescue SystemExit => e; e.status; end
  else @calls
  end
end`;
    const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler" });
    for (const [action, type, message] of [
      ["method", "NoMethodError", /^undefined method [`']upcase' for nil/],
      ["name", "NameError", /^uninitialized constant Nowhere/],
      ["exit", "SystemExit", /^exit$/],
      ["abort", "SystemExit", /^enough$/],
      ["deep", "SystemStackError", /^stack level too deep$/],
      ["raise", "Exception", /^plain$/],
    ] as const) {
      const { json, functionError, tail } = await bench.call(version, { do: action }, { wantLogTail: true });
      assert.deepEqual([json.errorType, functionError], [`Function<${type}>`, "Unhandled"]);
      assert.match(json.errorMessage, message);
      // The trace alone is longer than the tail of the log.
      if (action !== "deep") assert.match(tail, /Critical exception from handler\n/);
      assert.equal((await bench.call(version)).json, 1, `after ${action}`);
    }
    assert.equal((await bench.call(version, { do: "rescued" })).json, 4);
    assert.equal((await bench.call(version)).json, 3);
  });

  test("a handler that cannot be found is told in each invocation, by AWS's names", async () => {
    const code = "module Mine; end\ndef other(event:, context:) = 1\n";
    for (const [handler, type, message] of [
      ["app.missing", "NoMethodError", /^undefined method [`']missing' for/],
      ["app.Mine.missing", "NoMethodError", /^undefined method [`']missing' for (module )?Mine/],
      ["app.Nowhere::Deep.handler", "NameError", /^uninitialized constant (Kernel::)?Nowhere/],
    ] as const) {
      const { json } = await answerOf(bench, runtime, code, {}, { handler });
      assert.equal(json.errorType, `Function<${type}>`, handler);
      assert.match(json.errorMessage, message);
    }
  });

  test("what fails while loading is an init error, by AWS's names", async () => {
    for (const [code, handler, type, message] of [
      [
        "",
        "handler",
        "ArgumentError",
        /^Invalid handler \["handler"\], must be of form FILENAME\.METHOD or /,
      ],
      ["", "app.A.b.c", "ArgumentError", /^Invalid handler \["app", "A", "b", "c"\]/],
      ["", "missing.handler", "LoadError", /^cannot load such file -- missing$/],
      ['require "nothing_here"', "app.handler", "LoadError", /^cannot load such file -- nothing_here$/],
      ["def (", "app.handler", "SyntaxError", /app\.rb:1/],
      ['raise IOError, "early"', "app.handler", "IOError", /^early$/],
      ["exit 7", "app.handler", "SystemExit", /^exit$/],
      ['raise Exception, "plain"', "app.handler", "Exception", /^plain$/],
      ["Nowhere", "app.handler", "NameError", /^uninitialized constant Nowhere/],
    ] as const) {
      const { json, functionError, tail } = await answerOf(bench, runtime, code, {}, { handler });
      assert.deepEqual([json.errorType, functionError], [`Init<${type}>`, "Unhandled"], json.errorMessage);
      assert.match(json.errorMessage, message);
      assert.ok(!JSON.stringify(json.stackTrace).includes("bootstrap.rb"), "no frame of the runtime's");
      assert.ok(tail.includes(`Init error when loading handler ${handler}\n{\n  "errorMessage": `), tail);
      assert.match(tail, /INIT_REPORT .*Phase: invoke\tStatus: error\tError Type: Runtime\.Unknown\n/);
    }
  });
}

function endings(bench: TestInvoker, runtime: string): void {
  test("exit! ends the runtime with its status, a signal by its name", async () => {
    const code = `def handler(event:, context:)
  event["kill"] ? Process.kill(:KILL, Process.pid) : exit!(event["code"])
  sleep 60
end`;
    const version = await bench.fn({ files: { "app.rb": code }, runtime, handler: "app.handler" });
    const one = await bench.call(version, { code: 4 });
    assert.deepEqual(one.json, {
      errorType: "Runtime.ExitError",
      errorMessage: `RequestId: ${one.requestId} Error: Runtime exited with error: exit status 4`,
    });
    const none = await bench.call(version, { code: 0 });
    assert.match(none.json.errorMessage, /Runtime exited without providing a reason$/);
    const killed = await bench.call(version, { kill: true });
    assert.match(killed.json.errorMessage, /Runtime exited with error: signal: killed$/);
  });

  test("a timeout ends a sleep and a busy loop, and the next invocation has a new process", async () => {
    const code = `def handler(event:, context:)
  loop {} if event["busy"]
  sleep 60 if event["sleep"]
  @calls = (@calls || 0) + 1
end`;
    const version = await bench.fn({
      files: { "app.rb": code },
      runtime,
      handler: "app.handler",
      timeoutMs: 3_000,
    });
    for (const event of [{ sleep: true }, { busy: true }]) {
      const { json, requestId } = await bench.call(version, event);
      assert.deepEqual(json, {
        errorType: "Sandbox.Timedout",
        errorMessage: `RequestId: ${requestId} Error: Task timed out after 3.00 seconds`,
      });
    }
    // The next one begins with an init, under the same limit, for which a busy machine may need another try.
    let next = await bench.call(version);
    while (next.json?.errorType === "Sandbox.Timedout") next = await bench.call(version);
    assert.equal(next.json, 1);
  });

  test("threads, forked children and timeouts log, and spoil nothing", async () => {
    const code = `require "timeout"
def handler(event:, context:)
  Thread.new { puts "of a thread" }.join
  Process.wait(fork { puts "of a block"; exit 5 })
  status = $?.exitstatus
  pid = fork
  exit 6 if pid.nil?
  Process.wait(pid)
  begin
    Timeout.timeout(0.05) { loop { print "."; sleep 0.002 } }
  rescue Timeout::Error
    puts
  end
  [status, $?.exitstatus]
end`;
    const { json, functionError, tail } = await answerOf(bench, runtime, code);
    assert.deepEqual([json, functionError], [[5, 6], undefined]);
    assert.match(tail, /\n\.+\n(of a block\n)?END RequestId/);
  });
}

function searchPaths(bench: TestInvoker, runtime: string, kind: Kind): void {
  const minor = runtime.slice("ruby".length);
  const gem = (name: string, folder: string): Record<string, string> => ({
    [`${folder}/specifications/${name}-9.9.9.gemspec`]: `Gem::Specification.new { |s| s.name = "${name}"; s.version = "9.9.9"; s.summary = "x"; s.authors = ["x"]; s.files = ["lib/${name}.rb"] }`,
    [`${folder}/gems/${name}-9.9.9/lib/${name}.rb`]: `module ${name.toUpperCase()}; VERSION = "9.9.9"; end`,
  });

  test("libraries and gems are found in the code and in layers", async () => {
    const layer = await bench.fn({
      files: { "ruby/lib/layered.rb": "LAYERED = 8", ...gem("layergem", `ruby/gems/${minor}.0`) },
    });
    const files = {
      "app.rb": `require "lib/helper"; require "layered"; require "codegem"; require "layergem"
def handler(event:, context:) = [HELPER, LAYERED, CODEGEM::VERSION, LAYERGEM::VERSION, Gem.loaded_specs["codegem"].version.to_s]`,
      "lib/helper.rb": "HELPER = 9",
      ...gem("codegem", `vendor/bundle/ruby/${minor}.0`),
    };
    const version = await bench.fn({ files, runtime, handler: "app.handler", optDir: layer.codeDir });
    // A plain process has no /opt: RUBYLIB and GEM_PATH are the layer's own folder there.
    assert.deepEqual((await bench.call(version)).json, [9, 8, "9.9.9", "9.9.9", "9.9.9"]);
  });

  test("what a function brings goes before the standard library, also where that was loaded ahead", async () => {
    const files = {
      "app.rb": `require "securerandom"; require "shellwords"
def handler(event:, context:) = [SECURERANDOM::VERSION, OWN_WORDS]`,
      "shellwords.rb": "OWN_WORDS = true",
      ...gem("securerandom", `vendor/bundle/ruby/${minor}.0`),
    };
    const version = await bench.fn({ files, runtime, handler: "app.handler" });
    assert.deepEqual((await bench.call(version)).json, ["9.9.9", true]);
  });

  test("the standard library, gems that come with Ruby, TLS and child processes are there", async () => {
    const code = `require "openssl"; require "yaml"; require "zlib"; require "digest"; require "socket"; require "minitest"; require "time"
def handler(event:, context:)
  [OpenSSL::OPENSSL_VERSION, YAML.load("a: [1]"), Zlib::Inflate.inflate(Zlib::Deflate.deflate("z")), Digest::SHA256.hexdigest("")[0, 8],
   Minitest.name, Net::HTTP.name, URI("http://a/b").path, \`ruby -rjson -e 'puts JSON.generate([RUBY_VERSION, "é".encoding])'\`.strip, "é".encoding.to_s, ENV["ACCENT"]]
end`;
    const { json } = await answerOf(bench, runtime, code, {}, { environment: { ACCENT: "é" } });
    assert.match(json[0], /^OpenSSL /);
    assert.deepEqual(json.slice(1, 7), [{ a: [1] }, "z", "e3b0c442", "Minitest", "Net::HTTP", "/b"]);
    assert.match(json[7], new RegExp(`^\\["${minor.replace(".", "\\.")}\\.\\d+","UTF-8"\\]$`));
    assert.deepEqual(json.slice(8), ["UTF-8", "é"]);
  });

  test(
    "nothing of the host's own gems and libraries is there",
    { skip: kind === "process" && "a plain process sees its host" },
    async () => {
      const code = `def handler(event:, context:) = [Process.uid, Dir.exist?("/var/lib/gems"), Dir.exist?("/usr/share/rubygems-integration"), File.writable?("/var/lang")]`;
      assert.deepEqual((await answerOf(bench, runtime, code)).json, [993, false, false, false]);
    },
  );
}

test("a Ruby that this machine lacks is refused by name, with what to install", async (t) => {
  const missing = wantedRubies.find((identifier) => !rubiesHere.includes(identifier));
  if (missing === undefined) return t.skip("this machine has every Ruby");
  const found = await runtimes.find(missing);
  assert.ok(found.status === "refused");
  assert.match(
    found.reason,
    new RegExp(`^The runtime ${missing} is not on this machine: install Ruby [34]\\.`),
  );
  await assert.rejects(runtimes.install(missing), { name: "RuntimeUnavailable", message: found.reason });
});
