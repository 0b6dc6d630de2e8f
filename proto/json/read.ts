// Reading of single values from parsed JSON, by Mesos's rules: numbers and booleans may come as strings, an integer may come
// with a zero fraction, an enum name nobody knows is as good as absent. Called from generated code.
import { Fault } from "./errors.js";

/** State of one read. */
export interface Context {
  /** Set when a message lacked a required field; the list of them is made afterwards, for the error alone. */
  incomplete: boolean;
  depth: number;
}

export type Reader<T> = (value: unknown, context: Context) => T;

/** Name -> number of an enum. */
export type EnumNumbers<E> = ReadonlyMap<string, E>;
export const numbers = <E extends number>(pairs: [string, E][]): EnumNumbers<E> => new Map(pairs);

/** Only self-containing messages count; decoding of binary stops at the same depth. */
const MAX_DEPTH = 100;

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "bigint" ? "number" : typeof value;
}

const unexpected = (value: unknown): Fault => new Fault(`Not expecting a JSON ${kindOf(value)} for field '`);

/** Used where a reader of a field failed: puts the field before the path. Errors that are no Fault are bugs and pass. */
export function within(error: unknown, field: string): unknown {
  return error instanceof Fault ? error.under(field) : error;
}

export function enter(context: Context): void {
  if (++context.depth > MAX_DEPTH) throw new Fault(`Nested deeper than ${MAX_DEPTH} levels: field '`);
}

export function object(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unexpected(value);
  return value as Record<string, unknown>;
}

export function string(value: unknown): string {
  if (typeof value !== "string") throw unexpected(value);
  return value;
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

export function bytes(value: unknown): Buffer {
  if (typeof value !== "string") throw unexpected(value);
  const text = BASE64.test(value) ? value : value.replace(/\s+/g, "");
  const wrong = BASE64.test(text) ? undefined : (/[^A-Za-z0-9+/=]/u.exec(text)?.[0] ?? "=");
  if (wrong !== undefined)
    throw new Fault("Failed to base64 decode bytes field '", `': Invalid character '${wrong}'`);
  return Buffer.from(text, "base64");
}

export function bool(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  if (value === "true") return true;
  if (value === "false") return false;
  if (typeof value === "string")
    throw new Fault(`Failed to parse '${excerpt(value)}' as a JSON boolean for field '`);
  throw unexpected(value);
}

const excerpt = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}...` : text);
const NUMBER = /^\s*-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\s*$/;

const notNumber = (value: string): Fault =>
  new Fault(`Failed to parse '${excerpt(value)}' as a JSON number for field '`);

export function double(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "string") throw unexpected(value);
  if (value === "Infinity" || value === "-Infinity" || value === "NaN") return Number(value);
  if (!NUMBER.test(value)) throw notNumber(value);
  return Number(value);
}

/** An integer, still of either type. */
function integer(value: unknown): number | bigint {
  if (typeof value === "bigint") return value;
  if (typeof value === "string") {
    if (!NUMBER.test(value)) throw notNumber(value);
    // Digits beyond 64 bits are out of range either way, and exact arithmetic on a great many of them is slow.
    return integer(/[.eE]/.test(value) || value.length > 32 ? Number(value) : BigInt(value.trim()));
  }
  if (typeof value !== "number") throw unexpected(value);
  if (!Number.isInteger(value)) throw new Fault(`Expecting an integer, not ${value}, for field '`);
  return value;
}

function inRange(value: unknown, lowest: number | bigint, highest: number | bigint): number | bigint {
  const whole = integer(value);
  if (whole < lowest || whole > highest) throw new Fault(`Number ${whole} is out of range for field '`);
  return whole;
}

export function int32(value: unknown): number {
  return value === (value as number) >> 0
    ? (value as number)
    : Number(inRange(value, -0x8000_0000, 0x7fff_ffff));
}

export function uint32(value: unknown): number {
  return value === (value as number) >>> 0 ? (value as number) : Number(inRange(value, 0, 0xffff_ffff));
}

export function int64(value: unknown): bigint {
  return BigInt(inRange(value, -(2n ** 63n), 2n ** 63n - 1n));
}

export function uint64(value: unknown): bigint {
  return BigInt(inRange(value, 0n, 2n ** 64n - 1n));
}

/** A 64-bit field that our schema types as number: exact up to 2^53. */
export function safeUint(value: unknown): number {
  return Number(inRange(value, 0, Number.MAX_SAFE_INTEGER));
}

export function optionalEnum<E>(value: unknown, numbers: EnumNumbers<E>): E | undefined {
  if (typeof value !== "string") throw unexpected(value);
  return numbers.get(value);
}

export function requiredEnum<E>(value: unknown, numbers: EnumNumbers<E>): E {
  const number = optionalEnum(value, numbers);
  if (number === undefined)
    throw new Fault(`Failed to find enum for '${excerpt(value as string)}' for field '`);
  return number;
}

/** A list, or one bare item in its place; null items are skipped. */
export function list<T>(value: unknown, read: Reader<T>, context: Context): T[] {
  if (!Array.isArray(value)) return [read(value, context)];
  const items: T[] = [];
  for (let i = 0; i < value.length; i++) {
    const item: unknown = value[i];
    if (item == null) continue;
    try {
      items.push(read(item, context));
    } catch (error) {
      throw within(error, `[${i}]`);
    }
  }
  return items;
}

export function enums<E>(value: unknown, numbers: EnumNumbers<E>): E[] {
  return list(value, (item) => optionalEnum(item, numbers), { incomplete: false, depth: 0 }).filter(
    (item) => item !== undefined,
  );
}

/** Adds the entries of `value` to `target`, a Dictionary, so that any key is only a key. */
export function map<T>(target: Record<string, T>, value: unknown, read: Reader<T>, context: Context): void {
  const entries = object(value);
  for (const key in entries) {
    const item = entries[key];
    if (item == null) continue;
    try {
      target[key] = read(item, context);
    } catch (error) {
      throw within(error, `[${JSON.stringify(key)}]`);
    }
  }
}
