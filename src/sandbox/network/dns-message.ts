/** As much of the DNS wire format (RFC 1035 §4) as it takes to see what is asked and which addresses are answered. */

const HEADER_BYTES = 12;
const TYPE_A = 1;
const CLASS_IN = 1;
/** A compressed name follows pointers; a longer chain is a loop. */
const POINTERS_MAX = 32;

export const RCODE = { serverFailure: 2, refused: 5 } as const;

export interface Question {
  readonly id: number;
  /** Lower case, without the last dot. */
  readonly name: string;
  /** Where the question ends in the message. */
  readonly end: number;
}

export interface AddressRecord {
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

/** The one question of a query or of its answer; undefined when the message is neither. */
export function readQuestion(message: Buffer): Question | undefined {
  if (message.length < HEADER_BYTES || message.readUInt16BE(4) !== 1) return undefined;
  const opcode = (message.readUInt8(2) >> 3) & 0xf;
  const name = readName(message, HEADER_BYTES);
  if (opcode !== 0 || name === undefined || name.end + 4 > message.length) return undefined;
  return { id: message.readUInt16BE(0), name: name.text.toLowerCase(), end: name.end + 4 };
}

export function isAnswer(message: Buffer): boolean {
  return message.length >= HEADER_BYTES && (message.readUInt8(2) & 0x80) !== 0;
}

/** The addresses of an answer, whatever aliases lead to them; undefined when the message is malformed. */
export function readAddresses(message: Buffer): AddressRecord[] | undefined {
  const question = readQuestion(message);
  if (question === undefined) return undefined;
  const records: AddressRecord[] = [];
  let at = question.end;
  for (let i = message.readUInt16BE(6); i > 0; i--) {
    const name = readName(message, at);
    if (name === undefined || name.end + 10 > message.length) return undefined;
    const [type, kind] = [message.readUInt16BE(name.end), message.readUInt16BE(name.end + 2)];
    const ttl = message.readUInt32BE(name.end + 4);
    const start = name.end + 10;
    at = start + message.readUInt16BE(name.end + 8);
    if (at > message.length) return undefined;
    if (type === TYPE_A && kind === CLASS_IN && at - start === 4)
      records.push({ address: message.subarray(start, at).join("."), ttl });
  }
  return records;
}

/** An answer without records to a query. */
export function emptyAnswer(query: Buffer, question: Question, rcode: number): Buffer {
  const answer = Buffer.from(query.subarray(0, question.end));
  // A response that keeps the query's wish for recursion, and offers it.
  answer.writeUInt8((answer.readUInt8(2) & 0x01) | 0x80, 2);
  answer.writeUInt8(0x80 | rcode, 3);
  answer.fill(0, 6, HEADER_BYTES);
  return answer;
}

function readName(
  message: Buffer,
  start: number,
): { readonly text: string; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = start;
  let end: number | undefined;
  for (let pointers = 0; at < message.length;) {
    const length = message.readUInt8(at);
    if (length === 0) return { text: labels.join("."), end: end ?? at + 1 };
    if (length >= 0xc0) {
      if (at + 2 > message.length || ++pointers > POINTERS_MAX) return undefined;
      end ??= at + 2;
      at = message.readUInt16BE(at) & 0x3fff;
      continue;
    }
    if (length > 63 || at + 1 + length > message.length || labels.length > 127) return undefined;
    const label = message.toString("latin1", at + 1, at + 1 + length);
    // A dot inside a label would make one name look like another.
    if (label.includes(".")) return undefined;
    labels.push(label);
    at += 1 + length;
  }
  return undefined;
}
