// Messages of any type, made from its descriptor: fields absent, at their defaults, at zero and at the ends of their ranges.
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescOneof,
  ScalarType,
} from "@bufbuild/protobuf";
import fc from "fast-check";
import { isImplicit, isNumber64, isRequired } from "./descriptors.js";

export type Plain = Record<string, unknown>;

/** Deeper than this only what is required is set. */
const MAX_DEPTH = 3;

/** A number that no enum of ours names. */
const UNKNOWN_ENUM = 7_654_321;

/** Any but half of a pair. fast-check's own unit for this takes more than a second to be made. */
const character = fc
  .integer({ min: 0, max: 0x10ffff - 0x800 })
  .map((code) => String.fromCodePoint(code < 0xd800 ? code : code + 0x800));

const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: character, maxLength: 8 }) },
  fc.constantFrom(
    "",
    "__proto__",
    "constructor",
    "12345678901234567890",
    '": 12345678901234567890, "',
    "\u2028",
    "é😀",
  ),
);
const double = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, 1, 2, 0.1, 1e21, 1e-7, -1e300, 5e-324, Infinity, -Infinity, NaN, 1795333239.12906),
);
const ranged = (min: bigint, max: bigint) =>
  fc.oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max, 0n, 1n, 2n ** 53n + 1n));
const integer = (min: number, max: number) =>
  fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max, 0, 1));

const scalars: Partial<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.STRING]: text,
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.DOUBLE]: double,
  [ScalarType.INT32]: integer(-(2 ** 31), 2 ** 31 - 1),
  [ScalarType.UINT32]: integer(0, 2 ** 32 - 1),
  [ScalarType.INT64]: ranged(-(2n ** 63n), 2n ** 63n - 1n),
  [ScalarType.UINT64]: ranged(0n, 2n ** 64n - 1n),
};

function valuesOf(field: DescField): fc.Arbitrary<unknown> {
  if (field.enum !== undefined) return enumNumbers(field.enum, isRequired(field));
  if (isNumber64(field)) return fc.maxSafeNat();
  const arbitrary = scalars[(field as DescField & { scalar: ScalarType }).scalar];
  if (arbitrary === undefined) throw new Error(`no values for ${field}`);
  return arbitrary;
}

function enumNumbers(type: DescEnum, required: boolean): fc.Arbitrary<number> {
  const known = fc.constantFrom(...type.values.map((value) => value.number));
  return required ? known : fc.oneof({ weight: 5, arbitrary: known }, fc.constant(UNKNOWN_ENUM));
}

type Source<T> = () => fc.Arbitrary<T>;

const keys: Source<string> = () => text;
/** How many, by depth: fewer of nested messages the deeper it gets. */
const counts: readonly Source<number>[] = [2, 4, 6, 8].map(
  (last) => () => fc.integer({ min: 2 - last, max: 2 }),
);

/** A generator of a fixed identity per descriptor: fast-check compares arguments deeply, and descriptors are cyclic. */
function remember<K extends object, T>(make: (key: K) => fc.Arbitrary<T>): (key: K) => Source<T> {
  const made = new Map<K, Source<T>>();
  return (key) => {
    let source = made.get(key);
    if (source === undefined) {
      const arbitrary = make(key);
      source = () => arbitrary;
      made.set(key, source);
    }
    return source;
  };
}

const fieldValues = remember(valuesOf);
const oneOf = remember((oneof: DescOneof) => fc.constantFrom(...oneof.fields));

/** Complete messages of the type: every required field is set, with a value its peers know. */
export function messages(type: DescMessage): fc.Arbitrary<Plain> {
  return fc.gen().map((gen) => new Builder(gen).build(type, 0));
}

class Builder {
  /** How many more messages may be nested by choice: some types reach nearly all others. */
  #budget = 24;

  constructor(readonly gen: fc.GeneratorValue) {}

  build(type: DescMessage, depth: number): Plain {
    const message: Plain = {};
    const chosen = new Set(type.oneofs.map((oneof) => this.gen(oneOf(oneof))));
    for (const field of type.fields) {
      message[field.name] =
        field.oneof !== undefined && !chosen.has(field) ? undefined : this.#value(field, depth);
    }
    return message;
  }

  #value(field: DescField, depth: number): unknown {
    if (field.fieldKind === "list")
      return Array.from({ length: this.#count(field, depth) }, () => this.#item(field, depth));
    if (field.fieldKind === "map") {
      const length = this.#count(field, depth);
      return Object.fromEntries(Array.from({ length }, () => [this.gen(keys), this.#item(field, depth)]));
    }
    if (!isRequired(field) && this.#count(field, depth) === 0) return undefined;
    const value = this.#item(field, depth);
    return isImplicit(field) && !value ? undefined : value;
  }

  /** 0, 1 or 2; of nested messages fewer the deeper it gets. */
  #count(field: DescField, depth: number): number {
    if (field.message === undefined) return this.gen(counts[0]!);
    if (depth >= MAX_DEPTH || this.#budget <= 0) return 0;
    const count = Math.max(0, this.gen(counts[depth]!));
    this.#budget -= count;
    return count;
  }

  #item(field: DescField, depth: number): unknown {
    if (field.message !== undefined) return this.build(field.message, depth + 1);
    return this.gen(fieldValues(field));
  }
}
