/** The functions that the axes run, each as a module that a bare interpreter runs as well. */
import { randomUUID } from "node:crypto";

export interface Language {
  readonly name: "node" | "python";
  /** Runtime identifier of Lambda's API. */
  readonly runtime: string;
  /** Name of the module's file, and of the handler in it. */
  readonly file: string;
  readonly handler: string;
  /** The module's text; different in every call, so that no code was run or stored before. */
  fresh(): string;
  /** Program and arguments that run the handler of a file once, with an event, and print its answer. */
  bare(file: string): readonly string[];
}

/** What hello answers the event {"n":7}. */
export const ANSWER = '{"ok":true,"n":7}';

const NODE_ONCE = `require(process.argv[1]).handler({ n: 7 }).then((answer) => process.stdout.write(JSON.stringify(answer)))`;
const PYTHON_ONCE = `import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("index", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.stdout.write(json.dumps(module.handler({"n": 7}, None), separators=(",", ":")))
sys.stdout.flush()
`;

export const HELLO = "exports.handler = async (event) => ({ ok: true, n: event.n ?? 0 });";

/** Hello for Node.js. @param program The interpreter that bare runs take, the same that Lambent gives functions. */
export function nodeHello(runtime: string, program: string): Language {
  return {
    name: "node",
    runtime,
    file: "index.cjs",
    handler: "index.handler",
    fresh: () => `${HELLO}\n// ${randomUUID()}\n`,
    bare: (file) => [program, "-e", NODE_ONCE, file],
  };
}

/** Hello for Python with the imports that most handlers have, json, asyncio, http and urllib. */
export function pythonHello(runtime: string, program: string): Language {
  return {
    name: "python",
    runtime,
    file: "index.py",
    handler: "index.handler",
    fresh: () =>
      `import asyncio, http.client, json, urllib.request\n\ndef handler(event, context):\n    return {"ok": True, "n": event.get("n", 0)}\n# ${randomUUID()}\n`,
    bare: (file) => [program, "-c", PYTHON_ONCE, file],
  };
}
