/** Reads multipart/form-data as a stream (RFC 7578): the fields before the file into memory, within S3's bound, the file as it comes. */
import { FORM_FIELDS_BYTES_MAX } from "../limits.ts";
import { s3Error } from "../errors.ts";

/** What a part says of itself. */
interface PartHead {
  readonly name: string;
  /** As sent; a browser may send a whole path. */
  readonly filename: string | undefined;
}

export interface Form {
  /** In the order in which they came, with the names as they were sent. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The file's name as sent; undefined where its part has none. */
  readonly filename: string | undefined;
  /** The file's bytes. @throws MalformedPOSTRequest where the form ends before the file */
  readonly file: AsyncIterable<Buffer>;
}

const BOUNDARY = /^multipart\/form-data\s*(?:;.*)?;\s*boundary=(?:"([^"]{1,70})"|([^\s";,]{1,70}))/i;
const PARAMETER = (name: string) => new RegExp(`;\\s*${name}=(?:"((?:\\\\"|[^"])*)"|([^\\s;"]+))`, "i");
const NAME = PARAMETER("name");
const FILENAME = PARAMETER("filename");
const CRLF = Buffer.from("\r\n");
const HEAD_END = Buffer.from("\r\n\r\n");
const FILE = "file";

/**
 * Reads a form up to its file. What comes after the file counts for nothing, as S3 has it.
 * @throws PreconditionFailed for what is no form; MalformedPOSTRequest; MaxPostPreDataLengthExceeded; InvalidArgument without a file
 */
export async function readForm(body: AsyncIterable<Buffer>, contentType: string | undefined): Promise<Form> {
  const reader = new PartReader(body[Symbol.asyncIterator](), boundaryOf(contentType));
  const fields: (readonly [string, string])[] = [];
  for (let part = await reader.next(); part; part = await reader.next()) {
    if (part.name.toLowerCase() === FILE) return { fields, filename: part.filename, file: reader.content() };
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of reader.content()) {
      size += chunk.length;
      reader.count(size);
      chunks.push(chunk);
    }
    reader.spend(size);
    fields.push([part.name, Buffer.concat(chunks).toString("utf8")]);
  }
  throw s3Error(
    "InvalidArgument",
    { ArgumentName: FILE, ArgumentValue: "0" },
    "POST requires exactly one file upload per request.",
  );
}

function boundaryOf(contentType = ""): string {
  if (!/^multipart\/form-data\b/i.test(contentType))
    throw s3Error("PreconditionFailed", {
      Condition: "Bucket POST must be of the enclosure-type multipart/form-data",
    });
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw s3Error("MalformedPOSTRequest");
  return boundary;
}

/** Goes from part to part; what a part holds is read to its end before the next is asked for. */
class PartReader {
  readonly #source: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  /** Read and not yet given out. Begins as the end of a line, since a form's first delimiter has none before it. */
  #rest: Buffer = CRLF;
  #ended = false;
  /** Bytes of the fields and of what lies around them. */
  #spent = 0;

  constructor(source: AsyncIterator<Buffer>, boundary: string) {
    this.#source = source;
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
  }

  /** The next part's head; undefined behind the last part. */
  async next(): Promise<PartHead | undefined> {
    if (this.#spent === 0) for await (const preamble of this.content()) this.spend(preamble.length);
    this.spend(this.#delimiter.length);
    await this.#fill(2);
    if (this.#rest.subarray(0, 2).toString("latin1") === "--") return undefined;
    // The line's own end is kept: it is a part without headers that has an empty line at once.
    const line = await this.#find(CRLF);
    if (this.#rest.subarray(0, line).toString("latin1").trim() !== "") throw s3Error("MalformedPOSTRequest");
    this.#rest = this.#rest.subarray(line);
    const end = await this.#find(HEAD_END);
    const head = this.#rest.subarray(0, end).toString("utf8");
    this.#rest = this.#rest.subarray(end + HEAD_END.length);
    this.spend(end + HEAD_END.length);
    return readHead(head);
  }

  /** What lies before the next delimiter, which is passed. */
  async *content(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const at = this.#rest.indexOf(this.#delimiter);
      if (at >= 0) {
        const last = this.#rest.subarray(0, at);
        this.#rest = this.#rest.subarray(at + this.#delimiter.length);
        if (last.length > 0) yield last;
        return;
      }
      // A delimiter may have begun at the end of what has come.
      const safe = this.#rest.length - this.#delimiter.length + 1;
      if (safe > 0) {
        const chunk = this.#rest.subarray(0, safe);
        this.#rest = this.#rest.subarray(safe);
        yield chunk;
      }
      if (!(await this.#more())) throw s3Error("MalformedPOSTRequest");
    }
  }

  /** @throws MaxPostPreDataLengthExceeded where `bytes` more are too many */
  count(bytes: number): void {
    if (this.#spent + bytes > FORM_FIELDS_BYTES_MAX)
      throw s3Error("MaxPostPreDataLengthExceeded", { MaxPostPreDataLengthBytes: FORM_FIELDS_BYTES_MAX });
  }

  spend(bytes: number): void {
    this.count(bytes);
    this.#spent += bytes;
  }

  async #find(text: Buffer): Promise<number> {
    for (;;) {
      const at = this.#rest.indexOf(text);
      if (at >= 0) return at;
      this.count(this.#rest.length);
      if (!(await this.#more())) throw s3Error("MalformedPOSTRequest");
    }
  }

  async #fill(bytes: number): Promise<void> {
    while (this.#rest.length < bytes) if (!(await this.#more())) throw s3Error("MalformedPOSTRequest");
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    const { done, value } = await this.#source.next();
    if (done) this.#ended = true;
    else this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
    return !done;
  }
}

function readHead(text: string): PartHead {
  const disposition = /\r\ncontent-disposition:\s*form-data([^\r\n]*)/i.exec(text)?.[1] ?? "";
  return { name: parameter(disposition, NAME) ?? "", filename: parameter(disposition, FILENAME) };
}

/** Browsers escape a quotation mark, and nothing else but the ends of lines. */
function parameter(disposition: string, pattern: RegExp): string | undefined {
  const [, quoted, plain] = pattern.exec(disposition) ?? [];
  return (quoted?.replace(/\\"/g, '"') ?? plain)?.replace(/%22/g, '"');
}
